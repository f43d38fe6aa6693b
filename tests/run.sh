#!/usr/bin/env bash
# Installs what the tests need and is missing, runs every test, and ends with one line: N passed, N failed.
set -uo pipefail
cd "$(dirname "$0")/.."

# What the tests drive as peers: program → Debian package.
missing=()
need() { command -v "$1" > /dev/null 2>&1 || missing+=("$2"); }
need chromium chromium
need ffmpeg ffmpeg
need dcmdump dcmtk
need node nodejs
need npm npm
if [ ${#missing[@]} -gt 0 ]; then
  if command -v apt-get > /dev/null 2>&1; then
    sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
    echo "Installing what the tests need: ${missing[*]}"
    $sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null \
      || { echo "Could not install ${missing[*]}; install them by hand and run this again."; exit 1; }
  else
    echo "The tests need these programs: ${missing[*]} (Debian's package names). Install them and run this again."
    exit 1
  fi
fi

# A teacher for one recipe; its tests skip where it cannot be had.
if ! command -v pocketsphinx_batch > /dev/null 2>&1 && command -v apt-get > /dev/null 2>&1; then
  sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
  { $sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends pocketsphinx pocketsphinx-en-us > /dev/null; } || echo "pocketsphinx could not be installed; the tests that need it are skipped."
fi

# Training tests share two cores: without this, libgomp's threads spin at barriers and everything beside them waits.
export GOMP_SPINCOUNT=1000
# What a test starts lives for seconds: it gains nothing by methods being compiled a third time with what was counted, and the counting took a seventh of the browser tests' processor time.
export DOTNET_TieredPGO=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

dotnet build -c Release DomainSsl.sln --nologo -v q || { echo "The solution does not build; see above."; echo "0 passed, 1 failed"; exit 1; }
# One project at a time (-m:1): the browser's tests alone keep two cores busy, since several of them run at once.
dotnet test DomainSsl.sln -c Release --no-build --nologo -m:1 2>&1 | tee "$log"
status=${PIPESTATUS[0]}

# VSTest closes each project with "Passed!  - Failed:     0, Passed:    12, Skipped:     0, Total:    12, …".
sum() { grep -oE "(Passed|Failed)! +- +Failed: +[0-9]+, Passed: +[0-9]+, Skipped: +[0-9]+" "$log" | grep -oE "$1: +[0-9]+" | grep -oE "[0-9]+" | paste -sd+ - | bc_; }
bc_() { read -r terms; echo $(( ${terms:-0} )); }
passed=$(sum Passed); failed=$(sum Failed); skipped=$(sum Skipped)
# A project that crashed has no closing line: the exit code still says that something failed.
[ "$status" != 0 ] && [ "$failed" = 0 ] && failed=1
[ "$passed" = 0 ] && [ "$failed" = 0 ] && { echo "No test ran."; failed=1; }
[ "$skipped" = 0 ] || echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
