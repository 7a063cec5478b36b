#!/bin/sh
# The purchase with curl alone: TOKEN=$(.venv/bin/tacos token --user ana) examples/buy.sh [EVENT] [USER] [DOOR]
set -eu
event=${1:-evt_taco_club} fan=${2:-ana} door=${3:-http://127.0.0.1:8080}/api/v1
run=$(date +%s)

ask() { # verb, path, body, idempotency key, waiting token
  curl -sS -X "$1" "$door$2" -H "authorization: Bearer $TOKEN" -H "content-type: application/json" \
    -H "idempotency-key: $4-$run" -H "x-waiting-token: ${5:-}" -d "$3"
}
field() { sed -n "s/.*\"$1\": *\"\{0,1\}\([^\",}]*\).*/\1/p"; }

place=$(ask POST /queue/join "{\"event_id\": \"$event\", \"user_id\": \"$fan\", \"session_id\": \"curl\"}" join | field waiting_token)
while [ "$(ask GET /queue/status "" status "$place" | field admission_ready)" != true ]; do sleep 1; done
admission=$(ask POST /queue/enter "{\"event_id\": \"$event\", \"user_id\": \"$fan\"}" enter "$place" | field reservation_token)
held=$(ask POST /reservations "{\"event_id\": \"$event\", \"quantity\": 2, \"user_id\": \"$fan\", \"reservation_token\": \"$admission\"}" hold)
echo "$held"
reservation=$(echo "$held" | field reservation_id)
total=$(echo "$held" | sed -n 's/.*"total_amount": *\({[^}]*}\).*/\1/p')
payment=$(ask POST /payment/intents "{\"reservation_id\": \"$reservation\", \"amount\": $total, \"user_id\": \"$fan\", \"method\": 1, \"scenario\": 1}" intent | field payment_intent_id)
ask POST "/payment/$payment/process" "{}" pay >/dev/null
until ask GET "/reservations/$reservation" "" show | grep -q CONFIRMED; do sleep 1; done
echo "order $(ask GET "/reservations/$reservation" "" show | field order_id)"
