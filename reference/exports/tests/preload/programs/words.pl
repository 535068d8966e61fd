# Hashes of 200,000 keys, sorting, regular expressions. The random numbers are
# always the same, and every hash is sorted before it is printed.
use strict;
use warnings;

my $state = 12345;
sub next_number { return $state = ($state * 1103515245 + 12345) % 2147483648; }

my %count;
for (1 .. 200_000) {
    my $word = join '', map { chr(97 + (next_number() >> 8) % 26) } 1 .. 2 + (next_number() >> 8) % 5;
    $count{$word}++;
}
my @words = sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count;
printf "%d words\n", scalar @words;
print "$_ $count{$_}\n" for @words[0 .. 49];

# Lists of lists; half of the keys are deleted again.
my %by_ending;
push @{ $by_ending{ substr $_, -2 } }, $_ for @words;
delete $by_ending{$_} for grep { /^[a-m]/ } keys %by_ending;
printf "%s %d %s\n", $_, scalar @{ $by_ending{$_} }, (sort @{ $by_ending{$_} })[0] for sort keys %by_ending;

my $text = join ' ', @words;
my $vowels = () = $text =~ /\b[aeiou]\w*[aeiou]\b/g;
(my $turned = $text) =~ s/(\w)(\w+)/$2$1/g;
my %pairs;
$pairs{$1}++ while $turned =~ /(?=(\w\w))/g;
print "$vowels\n", join(',', map { "$_=$pairs{$_}" } sort keys %pairs), "\n";
print unpack('%32C*', $turned), "\n";

# One text that grows step by step.
my $long = '';
$long .= "$words[$_ % @words]:$_;" for 1 .. 300_000;
my $sum = 0;
$sum = ($sum * 31 + $_) % 1_000_003 for map { length } split /;/, $long;
print length $long, " $sum\n";
