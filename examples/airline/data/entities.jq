# Makes ../entities/*.jsonl from tau-bench's users.json and reservations.json, with what the rules read and nothing more:
#
#   jq -nc --slurpfile users users.json --slurpfile bookings reservations.json --arg make users -f entities.jq
#   jq -nc --slurpfile users users.json --slurpfile bookings reservations.json --arg make reservations -f entities.jq
#
# Times are those of the data set's clock, UTC-5. `first_day` is the start of the day of a booking's first flight. `payments`
# are the ids of a customer's payment methods, whose beginnings say their kind; `cabins`, `insurances` and `parties` (numbers
# of passengers) are those of the customer's bookings, each once.

($users[0]) as $users | ($bookings[0]) as $bookings
| if $make == "reservations" then
    $bookings | to_entries[] | {
      type: "reservation",
      id: .key,
      attributes: (.value | {
        user_id,
        flight_type,
        cabin,
        insurance,
        created_at: (.created_at + "-05:00"),
        first_day: ((.flights | map(.date) | min) + "T00:00:00-05:00"),
        segments: (.flights | length),
        passengers: (.passengers | length),
        bags: .total_baggages
      })
    }
  else
    $users | to_entries[] | {
      type: "user",
      id: .key,
      attributes: (.value | [$bookings[.reservations[]]] as $own | {
        membership,
        payments: (.payment_methods | keys),
        cabins: ($own | map(.cabin) | unique),
        insurances: ($own | map(.insurance) | unique),
        parties: ($own | map(.passengers | length | tostring) | unique)
      })
    }
  end
