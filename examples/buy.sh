#!/bin/sh
# A purchase with curl alone: TOKEN=$(.venv/bin/tacos token --user ana) examples/buy.sh [EVENT] [USER] [DOOR]
# Without USER it is the token's. Ends with 1 and the error when anything is refused; waits WAIT_SECONDS (300) at most.
set -eu
event=${1:-evt_taco_club} fan=${2:-} door=${3:-http://127.0.0.1:8080}
patience=${WAIT_SECONDS:-300} scenario=${SCENARIO:-PAYMENT_SCENARIO_APPROVE}
run=$(date +%s)-$$ # in the keys of this run: a second one buys again
fail() { echo "error: $*" >&2; exit 1; }
[ -n "${TOKEN:-}" ] || fail "TOKEN: is not set; \`tacos token --user ana\` prints one"

ask() { # verb, path, body, idempotency key, waiting token: the answer; whatever is refused is an error
  answer=$(curl -sS -m 15 -w '\n%{http_code}' -X "$1" "$door$2" -H "authorization: Bearer $TOKEN" \
    -H "content-type: application/json" -H "idempotency-key: $4-$run" -H "x-waiting-token: ${5:-}" -d "$3") \
    || fail "nothing answers at $door"
  code=${answer##*
}
  answer=${answer%
*}
  case $code-$answer in # who joins again is refused, and finds the same place
  *'"waiting_token":'*) ;;
  2??-*'"error"'* | [!2]*) fail "$1 $2: ${answer:-HTTP $code}" ;;
  esac
  echo "$answer"
}
field() { echo "$1" | sed -n "s/.*\"$2\": *\"\{0,1\}\([^\",}]*\).*/\1/p"; }

wait_for() { # what, and a function that sets `done` once it is there
  give_up_at=$(($(date +%s) + patience)) done=
  while $2 && [ -z "$done" ]; do
    [ "$(date +%s)" -lt "$give_up_at" ] || fail "gave up after $patience s of waiting for $1"
    echo "waiting for $1 ..."
    sleep 1
  done
}
turn() {
  status=$(ask GET /api/v1/queue/status "" status "$place") || exit 1
  case $(field "$status" status) in
  QUEUE_STATUS_WAITING | QUEUE_STATUS_READY) ;;
  *) fail "the place in the queue has ended: $status" ;;
  esac
  [ "$(field "$status" admission_ready)" != true ] || done=yes
}
decided() {
  shown=$(ask GET "/api/v1/reservations/$reservation" "" show) || exit 1
  case $shown in
  *RESERVATION_STATUS_PENDING*) ;;
  *) done=yes ;;
  esac
}

[ -n "$fan" ] || fan=$(field "$(ask POST /gateway.v1.GatewayService/ValidateToken "{\"token\": \"$TOKEN\"}" who)" userId)
[ -n "$fan" ] || fail "TOKEN: is not valid, or has expired"
joined=$(ask POST /api/v1/queue/join "{\"event_id\": \"$event\", \"user_id\": \"$fan\", \"session_id\": \"curl-$run\"}" join)
place=$(field "$joined" waiting_token)
wait_for "the turn" turn
admitted=$(ask POST /api/v1/queue/enter "{\"event_id\": \"$event\", \"user_id\": \"$fan\"}" enter "$place")
token=$(field "$admitted" reservation_token)
[ -n "$token" ] || fail "not admitted: $admitted"
held=$(ask POST /api/v1/reservations "{\"event_id\": \"$event\", \"quantity\": 2, \"user_id\": \"$fan\", \"reservation_token\": \"$token\"}" hold)
reservation=$(field "$held" reservation_id)
total=$(echo "$held" | sed -n 's/.*"total_amount": *\({[^}]*}\).*/\1/p')
intent=$(ask POST /api/v1/payment/intents "{\"reservation_id\": \"$reservation\", \"amount\": $total, \"user_id\": \"$fan\", \"method\": 1, \"scenario\": \"$scenario\"}" intent)
payment=$(field "$intent" payment_intent_id)
ask POST "/api/v1/payment/$payment/process" "{}" pay >/dev/null
wait_for "the bank" decided
case $shown in
*RESERVATION_STATUS_CONFIRMED*) ;;
*) fail "nothing was bought: $(ask GET "/api/v1/payment/$payment" "" paid)" ;;
esac
seats=$(echo "$held" | grep -o '"id": *"[^"]*"' | sed 's/.*"\([^"]*\)"$/\1/' | tr '\n' ' ')
echo "$fan owns ${seats}for $total: order $(field "$shown" order_id)"
