package dev.countersign.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.rules.facts.Attribute;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Call;
import dev.countersign.server.approvals.AccessRequest;
import dev.countersign.server.approvals.Bindings;
import dev.countersign.server.approvals.Submissions;
import dev.countersign.server.decision.Decided;
import dev.countersign.server.webhooks.Callback;
import dev.countersign.server.webhooks.WebhookTerms;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * An access request as it is submitted (AuthZEN Access Request and Approval Profile, Access Request Submission). Members that
 * the profile does not name are ignored.
 *
 * @param items the calls
 * @param bundle whether they were sent as {@code items}
 * @param about what is said beside them, without the hash of the submission
 * @param claimed whom it names on its own side
 * @param callback who is to be told of its end
 */
record Submission(
        List<Item> items,
        boolean bundle,
        AccessRequest.About about,
        List<String> claimed,
        @Nullable Callback callback) {
    private static final int MOST_ITEMS = 50;
    private static final int MOST_CHARACTERS = 32_768;
    private static final int MOST_CLAIMED = 20;
    private static final int LONGEST_KEY = 200;
    private static final String ITEMS = "items";

    /** It says nothing that could bind it to a denial. */
    static final class Unbound extends Exception {
        private static final long serialVersionUID = 1L;

        Unbound(String message) {
            super(message);
        }
    }

    /** One call and what binds it. */
    record Item(Call call, Bindings.Denial denial, @Nullable Instant requestedUntil) {}

    /**
     * What a body submits.
     *
     * @param key the {@code Idempotency-Key}
     * @param now when it came
     */
    static Submission of(JsonNode body, @Nullable String key, Instant now) throws BadCall, Unbound {
        if (key != null && (key.isEmpty() || key.length() > LONGEST_KEY)) {
            throw new BadCall("`Idempotency-Key` has 1 to " + LONGEST_KEY + " characters");
        }
        JsonNode given = body.path(ITEMS);
        boolean bundle = !Calls.absent(given);
        var items = new ArrayList<Item>();
        if (bundle) {
            if (!given.isArray() || given.isEmpty() || given.size() > MOST_ITEMS) {
                throw new BadCall("`items` is an array of 1 to " + MOST_ITEMS + " items");
            }
            if (body.has("resource") || body.has("action")) {
                throw new BadCall("give `items`, or `resource` and `action`, not both");
            }
            for (JsonNode each : given) {
                JsonNode denial = each.path("denial");
                items.add(item(
                        now, body, each, given.size() == 1 && Calls.absent(denial) ? body.path("denial") : denial));
            }
        } else {
            items.add(item(now, body, body, body.path("denial")));
        }
        return new Submission(List.copyOf(items), bundle, about(body, key), claimed(body), callback(body));
    }

    private static Item item(Instant now, JsonNode body, JsonNode item, JsonNode denial) throws BadCall, Unbound {
        if (!item.isObject()) {
            throw new BadCall("an item of `items` must be an object");
        }
        Call call = Call.of(body.get("subject"), item.get("action"), item.get("resource"), body.get("context"));
        JsonNode own = item.path("requested_access").path("requested_until");
        JsonNode until = Calls.absent(own) ? body.path("requested_access").path("requested_until") : own;
        small(call);
        Instant wanted = Calls.absent(until) ? null : time("requested_until", until);
        if (wanted != null && !wanted.isAfter(now)) {
            throw new BadCall("`requested_until` is over");
        }
        return new Item(call, denial(denial), wanted);
    }

    /** Refuses a call that is too long to be shown to people, and kept for them. */
    static void small(Call call) throws BadCall {
        long characters = (long) call.subject().toString().length()
                + call.action().toString().length()
                + call.resource().toString().length()
                + (call.context() == null ? 0 : call.context().toString().length());
        if (characters > MOST_CHARACTERS) {
            throw new BadCall("a call that humans are asked about has at most " + MOST_CHARACTERS + " characters");
        }
    }

    private static Bindings.Denial denial(JsonNode denial) throws BadCall, Unbound {
        if (!denial.isObject()) {
            throw new Unbound("each call needs a `denial`: what its denied evaluation answered");
        }
        JsonNode id = denial.path("evaluation_id");
        JsonNode token = denial.path("binding_token");
        if (!id.isTextual() && !token.isTextual()) {
            throw new Unbound("`denial` needs `evaluation_id` or `binding_token`");
        }
        if (Calls.absent(denial.path("expires_at"))) {
            throw new Unbound("`denial.expires_at` is missing");
        }
        return new Bindings.Denial(
                id.textValue(), token.textValue(), time("denial.expires_at", denial.path("expires_at")));
    }

    private static Instant time(String name, JsonNode value) throws BadCall {
        Instant time = value.isTextual() ? Attribute.parseTime(value.textValue()) : null;
        if (time == null) {
            throw new BadCall("`" + name + "` is a time such as 2026-03-02T09:00:00Z");
        }
        return time;
    }

    private static AccessRequest.About about(JsonNode body, @Nullable String key) {
        JsonNode context = body.path("context");
        JsonNode session = context.path("session_id").isTextual()
                ? context.path("session_id")
                : body.path("client").path("source").path("session_id");
        return new AccessRequest.About(
                null,
                key,
                "",
                Texts.of(context.path("business_justification"), Texts.NOTE),
                Texts.of(body.path("client").path("actor").path("id"), Texts.NAME),
                Texts.of(context.path("run_id"), Texts.NAME),
                Texts.of(session, Texts.NAME),
                Texts.of(context.path("project_id"), Texts.NAME),
                null,
                context.path("confidence").isNumber()
                        ? context.path("confidence").doubleValue()
                        : null,
                null);
    }

    private static @Nullable Callback callback(JsonNode body) throws BadCall {
        JsonNode wish = body.path("callback");
        if (Calls.absent(wish)) {
            return null;
        }
        JsonNode endpoint = wish.path("endpoint");
        JsonNode state = wish.path("state");
        JsonNode events = wish.path("events");
        if (!endpoint.isTextual() || endpoint.textValue().length() > WebhookTerms.MAX_URL) {
            throw new BadCall("`callback.endpoint` is the URL of a webhook of this tenant");
        }
        if (!Calls.absent(state) && (!state.isTextual() || state.textValue().length() > Callback.MAX_STATE)) {
            throw new BadCall("`callback.state` is a text of at most " + Callback.MAX_STATE + " characters");
        }
        Set<String> wanted = new LinkedHashSet<>();
        events.forEach(each -> wanted.add(each.asText()));
        if (!Calls.absent(events) && (!events.isArray() || wanted.isEmpty() || !Callback.ALL.containsAll(wanted))) {
            throw new BadCall("`callback.events` is a list of " + String.join(", ", new TreeSet<>(Callback.ALL)));
        }
        return new Callback(
                endpoint.textValue(),
                Calls.absent(state) ? null : state.toString(),
                wanted.isEmpty() ? Callback.ALL : wanted);
    }

    /** Everybody whom the requester names as acting for itself, or itself for them. That only ever excludes. */
    static List<String> claimed(JsonNode body) throws BadCall {
        Set<String> names = new LinkedHashSet<>();
        JsonNode properties = body.path("subject").path("properties");
        add(names, properties.path("owner"));
        add(names, body.path("context").path("user"));
        for (JsonNode act = properties.path("act"); act.isObject(); act = act.path("act")) {
            add(names, act.path("sub"));
            add(names, act.path("id"));
        }
        JsonNode actor = body.path("client").path("actor");
        add(names, actor.path("id"));
        for (JsonNode act = actor.path("act"); act.isObject(); act = act.path("act")) {
            add(names, act.path("sub"));
        }
        if (names.size() > MOST_CLAIMED) {
            throw new BadCall("the chain of actors has more than " + MOST_CLAIMED + " names");
        }
        return List.copyOf(names);
    }

    private static void add(Set<String> names, JsonNode name) throws BadCall {
        if (name.isTextual()) {
            if (name.textValue().length() > Texts.NAME || name.textValue().indexOf('\0') >= 0) {
                throw new BadCall(
                        "a name in the chain of actors has at most " + Texts.NAME + " characters, and no NUL");
            }
            names.add(name.textValue());
        }
    }

    /** How a message begins that is about an item. */
    String at(int position) {
        return bundle ? "item " + position + ": " : "";
    }

    /** The item, once it was judged. */
    Submissions.Item item(int position, Call call, Decided judged, Bindings.Bound.To bound, String hash) {
        String agent = call.subjectType().equals("agent") ? call.subjectId() : null;
        Instant until = items.get(position).requestedUntil();
        var said = new AccessRequest.About(
                null,
                position == 0 ? about.idempotencyKey() : null,
                hash,
                about.description(),
                about.requestedBy(),
                about.runId(),
                about.sessionId(),
                about.projectId(),
                agent,
                about.confidence(),
                until);
        return new Submissions.Item(call, judged, bound.evaluation(), bound.actors(), said, claimed, null);
    }
}
