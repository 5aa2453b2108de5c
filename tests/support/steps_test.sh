#!/usr/bin/env bash
# Do the steps of ./dev count what passed, failed and was skipped, and does a failure reach the exit code?
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
wrong=0

expect() { # WHAT GOT WANTED
  [ "$2" = "$3" ] || { echo "steps_test: $1: got '$2', expected '$3'"; wrong=$((wrong + 1)); }
}

run_steps() { # COMMANDS: runs them with the steps at hand; leaves output and code
  output=$(STEP_LOGS=$scratch/logs bash -uo pipefail -c ". tests/support/steps.sh; $1" 2>&1)
  code=$?
}

run_steps 'step good true; step other true; steps_close'
expect "exit code when all pass" "$code" 0
expect "closing line when all pass" "$(tail -n 1 <<<"$output")" "2 passed, 0 failed, 0 skipped"

run_steps 'step good true; step bad bash -c "echo the reason; exit 3"
step none bash -c "echo no Go; exit 77"; steps_close'
expect "exit code when one fails" "$code" 1
expect "closing line when one fails" "$(tail -n 1 <<<"$output")" "1 passed, 1 failed, 1 skipped"
expect "the end of the failed log is shown" "$(grep -c '| the reason' <<<"$output")" 1
expect "the reason of the skip is shown" "$(grep -c 'skip .*no Go' <<<"$output")" 1
expect "the failed step is named at the end" "$(grep -c 'failed:  bad' <<<"$output")" 1

run_steps 'step "a step with / in it" true; steps_close'
expect "a name with a slash" "$(tail -n 1 <<<"$output")" "1 passed, 0 failed, 0 skipped"

# Four tests for ctest: two good, one bad, one that skips itself.
mkdir -p "$scratch/build"
cat >"$scratch/build/CTestTestfile.cmake" <<'TESTS'
add_test(one true)
add_test(two true)
add_test(three sh -c "echo '#12 NEW cov: 1'; echo its reason; exit 1")
add_test(four sh -c "exit 77")
set_tests_properties(four PROPERTIES SKIP_RETURN_CODE 77)
TESTS
run_steps "step_ctest units $scratch/build; steps_close"
expect "exit code when a test fails" "$code" 1
expect "tests are counted one by one" "$(tail -n 1 <<<"$output")" "2 passed, 1 failed, 1 skipped"
expect "the failed test is named at the end" "$(grep -c 'failed:  units: three' <<<"$output")" 1
first=$(grep -oE 'failed: three|its reason' <<<"$output" | head -n 1)
expect "its name comes before its words" "$first" "failed: three"
expect "its words are shown, without the chatter" "$(grep -cE '\| (its reason|#12 NEW)' <<<"$output")" 1

: >"$scratch/build/CTestTestfile.cmake"
run_steps "step_ctest units $scratch/build; steps_close"
expect "exit code when there is no test at all" "$code" 1

echo "add_test(lost $scratch/no-such-program)" >"$scratch/build/CTestTestfile.cmake"
run_steps "step_ctest units $scratch/build; steps_close"
expect "exit code when a test program is missing" "$code" 1
expect "a missing program is a failure" "$(tail -n 1 <<<"$output")" "0 passed, 1 failed, 0 skipped"

[ "$wrong" -eq 0 ]
