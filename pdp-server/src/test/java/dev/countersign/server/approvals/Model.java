package dev.countersign.server.approvals;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What an access request and its approval are meant to do, told apart from the product: what follows each event. */
final class Model {
    static final String PENDING = "pending";
    static final String ACTIVE = "active";
    static final String RESERVED = "reserved";
    static final String CONSUMED = "consumed";
    static final String DOUBT = "in_doubt";

    /**
     * An event of the log.
     *
     * @param kind what happened
     * @param by the prefix of the key by which; empty if by none
     * @param person the name of whose key it was; empty if nobody's
     * @param execution by which a run is reported; else empty
     * @param decision that let a call run; else empty
     */
    record Event(String kind, String by, String person, String execution, String decision) {}

    /**
     * Where it is.
     *
     * @param request the state of the request
     * @param round the round of reviews at hand
     * @param votes who has approved in which round
     * @param approval the state of the approval; empty while there is none
     * @param execution by which it will be or was reported; else empty
     * @param decision that let its call run last; else empty
     */
    record State(
            String request,
            int round,
            Map<String, Integer> votes,
            String approval,
            String execution,
            String decision) {}

    private final Asked asked;

    Model(Asked asked) {
        this.asked = asked;
    }

    /** The states after each of these events; an error of the test if one may not happen where it does. */
    List<State> replay(List<Event> events) {
        var states = new ArrayList<State>();
        State now = new State("", 0, Map.of(), "", "", "");
        for (Event event : events) {
            State next = next(now, event, events.subList(0, states.size()));
            if (next == null) {
                throw new AssertionError("after " + now + " there is no " + event + " in " + events);
            }
            states.add(next);
            now = next;
        }
        return states;
    }

    private State next(State now, Event event, List<Event> before) {
        return switch (event.kind()) {
            case "requested" -> now.request().isEmpty() ? new State(PENDING, 0, Map.of(), "", "", "") : null;
            case "reviewed", "approved" -> approved(now, event);
            case "break_glass" ->
                alone(now, event.person()).equals("may")
                        ? new State("approved", now.round(), now.votes(), ACTIVE, "", "")
                        : null;
            case "denied" -> !ruling(now, event.person(), false).equals("may") ? null : ended(now, "denied");
            case "expired", "cancelled" -> now.request().equals(PENDING) ? ended(now, event.kind()) : null;
            case "reserved" ->
                now.approval().equals(ACTIVE) && !event.execution().isEmpty()
                        ? granted(now, RESERVED, event.execution(), event.decision())
                        : null;
            case "consumed" -> consumed(now, event, before);
            case "freed" -> runs(now, event) ? granted(now, ACTIVE, "", "") : null;
            case "revoked" -> now.approval().equals(ACTIVE) ? granted(now, "revoked", "", now.decision()) : null;
            case "lapsed" -> now.approval().equals(ACTIVE) ? granted(now, "expired", "", now.decision()) : null;
            case "in_doubt" ->
                now.approval().equals(RESERVED) && runs(now, event)
                        ? granted(now, DOUBT, now.execution(), now.decision())
                        : null;
            default -> null;
        };
    }

    private State approved(State now, Event event) {
        if (!ruling(now, event.person(), true).equals("may")) {
            return null;
        }
        var votes = new HashMap<>(now.votes());
        votes.put(event.person(), now.round());
        long given =
                votes.values().stream().filter(round -> round == now.round()).count();
        boolean filled = given == asked.rounds().get(now.round()).quorum();
        boolean last = now.round() + 1 == asked.rounds().size();
        if ((filled && last) != event.kind().equals("approved")) {
            return null;
        }
        return filled && last
                ? new State("approved", now.round(), votes, ACTIVE, "", "")
                : new State(PENDING, filled ? now.round() + 1 : now.round(), votes, "", "", "");
    }

    private static State consumed(State now, Event event, List<Event> before) {
        if (event.execution().isEmpty()) {
            return now.approval().equals(ACTIVE) && !event.decision().isEmpty()
                    ? granted(now, CONSUMED, "", event.decision())
                    : null;
        }
        // A human may have said that a run did not start of which it is reported later that it did.
        boolean afterAll = before.stream()
                .anyMatch(
                        each -> each.kind().equals("freed") && each.execution().equals(event.execution()));
        if (afterAll) {
            return now.approval().equals(ACTIVE) ? granted(now, CONSUMED, event.execution(), event.decision()) : null;
        }
        return runs(now, event) ? granted(now, CONSUMED, now.execution(), now.decision()) : null;
    }

    /** Whether an event is about the run that is under way. */
    private static boolean runs(State now, Event event) {
        return waits(now, event.execution());
    }

    /** Whether a report is waited for of this run. */
    static boolean waits(State now, String execution) {
        return (now.approval().equals(RESERVED) || now.approval().equals(DOUBT))
                && now.execution().equals(execution);
    }

    private static State ended(State now, String as) {
        return new State(as, now.round(), now.votes(), "", "", "");
    }

    private static State granted(State now, String as, String execution, String decision) {
        return new State(now.request(), now.round(), now.votes(), as, execution, decision);
    }

    /** Whether a person may approve it alone, in the words of the answer if not. */
    String alone(State now, String person) {
        if (!now.request().equals(PENDING)) {
            return "ended";
        }
        return asked.sides(person) ? "requesters_side" : asked.alone() ? "may" : "no_break_glass";
    }

    /** Whether a person may vote, in the words of the answer if not. */
    String ruling(State now, String person, boolean approves) {
        if (!now.request().equals(PENDING)) {
            return "ended";
        }
        if (asked.sides(person)) {
            return "requesters_side";
        }
        if (now.votes().containsKey(person)) {
            return "voted_already";
        }
        if (!asked.may(person, now.round())) {
            return "lacks_role";
        }
        boolean later = now.round() + 1 < asked.rounds().size();
        boolean left = Town.PEOPLE.keySet().stream()
                .anyMatch(other -> !other.equals(person)
                        && !now.votes().containsKey(other)
                        && asked.may(other, asked.rounds().size() - 1));
        return approves && later && !left ? "needed_later" : "may";
    }
}
