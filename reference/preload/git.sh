# needs: git --version -- install git
# proof: git --version -- git
# A repository with 200 commits is made, cloned, packed anew and checked.
export GIT_CONFIG_NOSYSTEM=1 HOME="$PWD" GIT_AUTHOR_DATE='2001-01-01T00:00:00Z' GIT_COMMITTER_DATE='2001-01-01T00:00:00Z'
git init -q one
cd one
git config user.name tester
git config user.email tester@example.org
i=0
while [ $i -lt 200 ]; do
  i=$((i + 1))
  seq $i 7 $((i * 50)) >"file $((i % 17))"
  git add -A
  git commit -q -m "change $i"
done
cd ..
git clone -q --no-local one two
cd two
git repack -q -a -d -f --depth=50 --window=20
git fsck --full --strict --no-progress
git log --format=%H | cksum
git diff --stat HEAD~100 | cksum
git ls-tree -r HEAD | cksum
