# Named steps with progress, logs and counts; sourced by ./dev.
#
# A step is quiet: its output goes to build/logs/NAME.log. While it runs, its name, the seconds and what it is at are
# shown on one line (on a terminal), or said once a minute (in a log). Only a failure prints the end of its log.
# Exit code 77 of a step means skipped; its last line of output is the reason.

steps_passed=0 steps_failed=0 steps_skipped=0
steps_failed_names=() steps_skipped_names=()
readonly STEP_SKIPPED=77        # As Automake and CTest have it.
readonly STEP_TAIL_LINES=40     # How much of a failed step's log is shown.
readonly TESTS_TAIL_LINES=200   # The same for failed tests, without the lines of those that passed.
# Lines of a log of tests that say nothing of a failure: tests that passed, and what a fuzzer finds new.
readonly TESTS_CHATTER='^\s*(Start +[0-9]+:|[0-9]+/[0-9]+ Test +#[0-9]+: .* Passed |#[0-9]+\s|NEW_FUNC\[)'
readonly STEP_HEARTBEAT=60      # Seconds between signs of life where output is not a terminal.
STEP_LOGS=${STEP_LOGS:-build/logs}

# What a running step is at: the last "[12/340]" of ninja or "12/57 Test" of ctest in its log.
step_position() { # LOG
  tail -c 4000 "$1" 2>/dev/null | grep -oE '^\[[0-9]+/[0-9]+\]|^ *[0-9]+/[0-9]+ Test' | tail -n 1 | tr -d ' []Tes'
}

# Ctrl-C ends the run, also when the program of the running step takes it for an ordinary end.
trap 'exit 130' INT TERM

step_ticker() { # NAME LOG: shows progress until killed, or until ./dev itself is gone
  local start=$SECONDS said=0 now position
  while sleep 1 && kill -0 $$ 2>/dev/null; do
    now=$((SECONDS - start))
    if [ -t 1 ]; then
      position=$(step_position "$2")
      printf '\r\033[K  …      %-28s %4d s %s' "$1" "$now" "$position"
    elif [ $((now - said)) -ge "$STEP_HEARTBEAT" ]; then
      said=$now
      printf '  …      %-28s %4d s %s\n' "$1" "$now" "$(step_position "$2")"
    fi
  done
}

step_line() { # STATE NAME SECONDS [TEXT]
  [ ! -t 1 ] || printf '\r\033[K'
  printf '  %-6s %-28s %4d s%s\n' "$1" "$2" "$3" "${4:+  $4}"
}

# Runs a command as a step. The step's own result is returned, so a caller may leave out what depends on it.
step() { # NAME COMMAND...
  local name=$1 start=$SECONDS code=0 log ticker
  shift
  log=$STEP_LOGS/${name//[ \/]/-}.log
  mkdir -p "$STEP_LOGS"
  : >"$log"
  step_ticker "$name" "$log" &
  ticker=$!
  ("$@") >"$log" 2>&1 </dev/null || code=$?
  kill "$ticker" 2>/dev/null
  wait "$ticker" 2>/dev/null || true
  step_record "$name" "$code" "$((SECONDS - start))" "$log"
  return "$code"
}

step_record() { # NAME CODE SECONDS LOG
  case $2 in
  0)
    steps_passed=$((steps_passed + 1))
    step_line ok "$1" "$3"
    grep '^note: ' "$4" || true
    ;;
  "$STEP_SKIPPED")
    steps_skipped=$((steps_skipped + 1))
    steps_skipped_names+=("$1")
    step_line skip "$1" "$3" "$(tail -n 1 "$4")"
    ;;
  *)
    steps_failed=$((steps_failed + 1))
    steps_failed_names+=("$1")
    step_line FAIL "$1" "$3" "exit code $2, log $4:"
    tail -n "$STEP_TAIL_LINES" "$4" | sed 's/^/    | /'
    ;;
  esac
}

step_skip() { # NAME REASON: records a step that could not be tried
  steps_skipped=$((steps_skipped + 1))
  steps_skipped_names+=("$1")
  step_line skip "$1" 0 "$2"
}

# Runs ctest in a build directory as a step and counts its tests instead of the step.
step_ctest() { # NAME DIRECTORY [CTEST ARGUMENTS...]
  local name=$1 directory=$2 start=$SECONDS code=0 log ticker text test summary tests=0 failed=0 skipped
  shift 2
  log=$STEP_LOGS/${name//[ \/]/-}.log
  mkdir -p "$STEP_LOGS"
  : >"$log"
  step_ticker "$name" "$log" &
  ticker=$!
  ctest --test-dir "$directory" --output-on-failure --no-tests=error -j "$(nproc)" "$@" \
    >"$log" 2>&1 </dev/null || code=$?
  kill "$ticker" 2>/dev/null
  wait "$ticker" 2>/dev/null || true
  # "97% tests passed, 1 tests failed out of 30": the skipped are among the 30, and not among the failed.
  summary=$(grep -oE '[0-9]+ tests failed out of [0-9]+' "$log" | tail -n 1)
  [ -z "$summary" ] || { failed=${summary%% *}; tests=${summary##* }; }
  skipped=$(grep -cE '^ *[0-9]+/[0-9]+ Test .*\*\*\*Skipped' "$log")
  # Whatever went wrong beyond the tests (none found, no build, a crash of ctest) counts as one failure.
  [ "$code" -eq 0 ] || [ "$failed" -gt 0 ] || { failed=1; tests=$((tests + 1)); }
  steps_passed=$((steps_passed + tests - failed - skipped))
  steps_failed=$((steps_failed + failed))
  steps_skipped=$((steps_skipped + skipped))
  if [ "$failed" -eq 0 ]; then
    text="$tests tests"
    [ "$skipped" -eq 0 ] || text="$text, $skipped of them skipped"
    step_line ok "$name" "$((SECONDS - start))" "$text"
    return 0
  fi
  step_line FAIL "$name" "$((SECONDS - start))" "$failed of $tests tests, log $log:"
  # Their names before their words: of a long log often only the beginning is kept.
  if grep -q '^The following tests FAILED:' "$log"; then
    while read -r test; do
      steps_failed_names+=("$name: $test")
      echo "    failed: $test"
    done < <(sed -n '/^The following tests FAILED:/,/^$/s/^[[:space:]]*[0-9]* - \(.*\) (.*$/\1/p' "$log")
  else
    steps_failed_names+=("$name")
  fi
  grep -vE "$TESTS_CHATTER" "$log" | tail -n "$TESTS_TAIL_LINES" | sed 's/^/    | /'
  return 1
}

# The last lines of a run: what failed, and the one line that programs read.
steps_close() {
  local name
  for name in ${steps_failed_names[@]+"${steps_failed_names[@]}"}; do echo "  failed:  $name"; done
  for name in ${steps_skipped_names[@]+"${steps_skipped_names[@]}"}; do echo "  skipped: $name"; done
  printf '%d passed, %d failed, %d skipped\n' "$steps_passed" "$steps_failed" "$steps_skipped"
  [ "$steps_failed" -eq 0 ]
}
