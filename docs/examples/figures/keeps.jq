# A row for each library and workload of a JSON report: MiB above the baseline.
def mib: . / 1048576 * 10 | round / 10 | "\(.) MiB";
.candidates[] | .name as $library | .cases | to_entries[] | select(.value.memory)
| (.value.memory | map({(.moment): .resident}) | add) as $at
| [.key, $library] + [$at.peak, $at.freed, $at.minimised | . - $at.baseline | mib]
| join(" | ")
