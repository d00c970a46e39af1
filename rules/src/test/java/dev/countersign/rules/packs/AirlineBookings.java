package dev.countersign.rules.packs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.entities.PackEntities;
import dev.countersign.rules.facts.EntityKey;
import dev.countersign.rules.facts.Found;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The airline's bookings and customers in one conversation: what the pack carries, as the calls made so far have changed
 * it. Of what they change, what the rules read is kept.
 */
final class AirlineBookings {
    private static final List<String> NEW_BOOKINGS = List.of("HATHAT", "HATHAU", "HATHAV");
    private static final List<String> NEW_CERTIFICATES =
            List.of("certificate_3221322", "certificate_3221323", "certificate_3221324");
    private static final String CLOCK = "2024-05-15T15:00:00-05:00";

    private final PackEntities before;
    private final Map<EntityKey, ObjectNode> changed = new HashMap<>();

    AirlineBookings(PackEntities before) {
        this.before = before;
    }

    /** What is stored now under each of these names. */
    Map<EntityKey, Found> find(Set<EntityKey> keys) {
        var out = new HashMap<>(before.find(keys));
        keys.forEach(key -> {
            if (changed.containsKey(key)) {
                out.put(key, new Found.Entity(key, changed.get(key).deepCopy(), 0, "airline"));
            }
        });
        return out;
    }

    /** Does what the call's tool does, if it did anything. */
    void apply(AirlineCall call) {
        if (!call.refused().isEmpty()) {
            return;
        }
        JsonNode arguments = call.arguments();
        EntityKey booking =
                new EntityKey("reservation", arguments.path("reservation_id").asText());
        EntityKey customer = new EntityKey("user", call.user());
        switch (call.tool()) {
            case "book_reservation" -> book(call, customer);
            case "update_reservation_flights" -> {
                fly(entity(booking), call);
                add(customer, "cabins", arguments.get("cabin").asText());
            }
            case "update_reservation_baggages" -> entity(booking).set("bags", arguments.get("total_baggages"));
            case "send_certificate" ->
                NEW_CERTIFICATES.stream()
                        .filter(id -> !list(customer, "payments").contains(id))
                        .findFirst()
                        .ifPresent(id -> add(customer, "payments", id));
            default -> {
                // Other passengers are as many as before, and no rule asks whether a booking was cancelled.
            }
        }
    }

    private void book(AirlineCall call, EntityKey customer) {
        JsonNode arguments = call.arguments();
        String id = NEW_BOOKINGS.stream()
                .filter(one -> !changed.containsKey(new EntityKey("reservation", one)))
                .findFirst()
                .orElse(NEW_BOOKINGS.get(2));
        int passengers = arguments.get("passengers").size();
        ObjectNode booking = JsonNodeFactory.instance
                .objectNode()
                .put("user_id", call.user())
                .put("created_at", CLOCK)
                .put("passengers", passengers);
        booking.set("flight_type", arguments.get("flight_type"));
        booking.set("insurance", arguments.get("insurance"));
        booking.set("bags", arguments.get("total_baggages"));
        fly(booking, call);
        changed.put(new EntityKey("reservation", id), booking);
        add(customer, "cabins", booking.get("cabin").asText());
        add(customer, "insurances", booking.get("insurance").asText());
        add(customer, "parties", String.valueOf(passengers));
        List<String> spent = call.texts("payment_id").stream()
                .filter(one -> one.startsWith("certificate_"))
                .toList();
        List<String> left = list(customer, "payments").stream()
                .filter(one -> !spent.contains(one))
                .toList();
        ArrayNode payments = entity(customer).putArray("payments");
        left.forEach(payments::add);
    }

    private static void fly(ObjectNode booking, AirlineCall call) {
        booking.set("cabin", call.arguments().get("cabin"));
        booking.put("segments", call.arguments().get("flights").size());
        booking.put("first_day", Collections.min(call.texts("date")) + "T00:00:00-05:00");
    }

    private ObjectNode entity(EntityKey key) {
        return changed.computeIfAbsent(key, name -> {
            if (before.find(name) instanceof Found.Entity found && found.properties() instanceof ObjectNode object) {
                return object.deepCopy();
            }
            throw new IllegalArgumentException("the tool did something to " + key + ", which is not stored");
        });
    }

    private List<String> list(EntityKey key, String name) {
        return entity(key).withArray(name).valueStream().map(JsonNode::asText).toList();
    }

    private void add(EntityKey key, String name, String text) {
        if (!list(key, name).contains(text)) {
            entity(key).withArray(name).add(text);
        }
    }
}
