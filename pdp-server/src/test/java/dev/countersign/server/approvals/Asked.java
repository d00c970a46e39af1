package dev.countersign.server.approvals;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** One access request among many clients, and all that they do with it. */
final class Asked {
    final String action;
    final String requester;
    final ObjectNode call;
    final ObjectNode submission;
    final String key;
    final String id;
    final Queue<Step> steps = new ConcurrentLinkedQueue<>();
    /** The id of the approval, once a client has seen it; else empty. */
    volatile String approval = "";

    Asked(String action, String requester, ObjectNode call, ObjectNode submission, String key, String id) {
        this.action = action;
        this.requester = requester;
        this.call = call;
        this.submission = submission;
        this.key = key;
        this.id = id;
    }

    /** The rounds of reviews that it takes. */
    List<Town.Round> rounds() {
        return Town.ACTIONS.get(action);
    }

    /** Whether somebody is on the requester's side. */
    boolean sides(String person) {
        return person.equals(Town.OWNER) || person.equals(requester);
    }

    /** Whether one person may approve it alone. */
    boolean alone() {
        return action.equals(Town.ALONE);
    }

    /** Whether a person has the role of a round. */
    boolean may(String person, int round) {
        String role = rounds().get(round).role();
        return !sides(person) && (role.isEmpty() || Town.PEOPLE.get(person).contains(role));
    }
}
