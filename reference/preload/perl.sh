# needs: perl -v -- install perl
# proof: perl -e 1 -- perl
# Large hashes, sorting, strings that grow, regular expressions, closures.
perl -we '
  use strict;
  my (%count, @all, $seed);
  $seed = 1;
  for (1 .. 300_000) { $seed = $seed * 16807 % 2147483647; push @all, $seed; $count{$seed % 50_000}{n}++; }
  my @sorted = sort { $count{$b}{n} <=> $count{$a}{n} || $a <=> $b } keys %count;
  print "@sorted[0 .. 9]\n", scalar(@sorted), "\n";
  my $text = join ",", map { sprintf "%x", $_ } @all;
  my $found = () = $text =~ /([a-f]{3,}),(\d+)/g;
  print length($text), " $found\n";
  $text =~ s/([0-9a-f]*[13579bdf]),/<$1>/g;
  print length($text), " ", unpack("%32C*", $text), "\n";
  delete @count{grep { $_ % 2 } keys %count};
  my @functions = map { my $n = $_; sub { $n += shift } } 1 .. 50_000;
  my $sum = 0;
  $sum += $_->(1) for @functions;
  print scalar(keys %count), " $sum\n";
'
