# Makes a repository of 40 commits, clones it, repacks it and checks it. Names and
# times are always the same, so the hashes are too.
set -eu
export GIT_AUTHOR_NAME=author GIT_AUTHOR_EMAIL=author@example.org
export GIT_COMMITTER_NAME=author GIT_COMMITTER_EMAIL=author@example.org

git init -q first 2>/dev/null
cd first
git config gc.auto 0 # a garbage collection in the background would outlive the test
commit=1
while [ "$commit" -le 40 ]; do
  folder=folder-$((commit % 7))
  mkdir -p "$folder"
  seq "$commit" $((commit * 60)) >"$folder/numbers-$((commit % 11)).txt"
  seq 1 "$commit" $((commit * 90)) >>everything.txt
  export GIT_AUTHOR_DATE="$((1700000000 + commit)) +0000"
  export GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE
  git add -A
  git commit -q -m "change $commit"
  commit=$((commit + 1))
done
cd ..

# --no-local clones through a pack, not by links to the files.
git clone -q --no-local first second
cd second
git repack -q -a -d -f
git fsck --full --strict
git rev-parse HEAD
git log -p --stat | cksum
git grep -c 77 -- . | sort
git count-objects -v | grep -E '^(count|in-pack|packs|garbage)'
