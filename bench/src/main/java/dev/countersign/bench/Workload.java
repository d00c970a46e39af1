package dev.countersign.bench;

import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.StrictJson;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** The requests that are measured: the same for every run, drawn from one seed. */
final class Workload {
    private static final long SEED = 31;
    private static final List<String> ACTIONS = List.of(
            "pay", "doc.read", "send_mail", "egress", "search", "call", "db.drop", "ticket.read", "doc.write", "plan");
    private static final List<String> TOOLS =
            List.of("calendar", "sql_read", "sql_write", "mail", "crm_read", "payments", "weather", "browser");
    private static final List<String> RESOURCES = List.of(
            "docs/public/guide/7", "crm/customer/passport", "prod/secrets/db", "docs/internal/12", "tickets/881");
    private static final List<String> ZONES = List.of("hk-prod", "sg-prod", "uk-test", "hk-test");
    private static final List<String> HOSTS = List.of("api.partner.example", "mail.internal.example", "paste.example");
    private static final List<List<String>> MONEY =
            List.of(List.of("HKD", "HK"), List.of("SGD", "SG"), List.of("GBP", "UK"), List.of("USD", "HK"));

    private Workload() {}

    /** One of the actions, by number. */
    static String action(int number) {
        return ACTIONS.get(number % ACTIONS.size());
    }

    /** Calls of all kinds, complete in what the rules ask for. */
    static List<Call> calls(int count) {
        return calls(count, ACTIONS);
    }

    /** The same with other actions. */
    static List<Call> calls(int count, List<String> actions) {
        return bodies(count, actions).stream().map(Workload::call).toList();
    }

    /** The same as JSON. */
    static List<String> bodies(int count) {
        return bodies(count, ACTIONS);
    }

    private static List<String> bodies(int count, List<String> actions) {
        var random = new Random(SEED);
        var bodies = new ArrayList<String>();
        for (int i = 0; i < count; i++) {
            bodies.add(body(random, actions).encode());
        }
        return bodies;
    }

    /** A call from its JSON. */
    static Call call(String json) {
        try {
            return Call.of(StrictJson.read(json.getBytes(StandardCharsets.UTF_8)));
        } catch (BadCall e) {
            throw new IllegalStateException("the workload holds complete calls", e);
        }
    }

    private static JsonObject body(Random random, List<String> actions) {
        boolean tool = random.nextInt(3) > 0;
        List<String> money = pick(random, MONEY);
        return request(
                random.nextInt(4) > 0 ? "agent" : "user",
                "subject-" + random.nextInt(1_000),
                pick(random, actions),
                tool ? "tool" : "document",
                pick(random, tool ? TOOLS : RESOURCES),
                Math.rint(Math.exp(random.nextDouble() * 12)),
                money,
                random.nextInt(3) == 0 ? "draft" : "auto",
                0.6 + random.nextInt(40) / 100.0,
                pick(random, ZONES),
                pick(random, HOSTS));
    }

    /** The body of about 600 bytes that HTTP is measured with; an approved payment, two rules match. */
    static String single() {
        return request(
                        "agent",
                        "procurement-agent-7",
                        "pay",
                        "tool",
                        "payments",
                        840,
                        MONEY.get(0),
                        "auto",
                        0.93,
                        "hk-prod",
                        "api.partner.example")
                .encode();
    }

    /** A batch in which each of {@code items} names its own resource, and shares the rest. */
    static String batch(int items) {
        var body = new JsonObject(single());
        var evaluations = new JsonArray();
        for (int i = 0; i < items; i++) {
            evaluations.add(new JsonObject()
                    .put("resource", body.getJsonObject("resource").copy().put("id", "payments-" + i)));
        }
        body.remove("resource");
        return body.put("evaluations", evaluations).encode();
    }

    private static JsonObject request(
            String subjectType,
            String subject,
            String action,
            String resourceType,
            String resource,
            double amount,
            List<String> money,
            String mode,
            double confidence,
            String zone,
            String destination) {
        var arguments = new JsonObject().put("amount", amount).put("currency", money.get(0));
        boolean tool = resourceType.equals("tool");
        return new JsonObject()
                .put(
                        "subject",
                        new JsonObject()
                                .put("type", subjectType)
                                .put("id", subject)
                                .put(
                                        "properties",
                                        new JsonObject()
                                                .put(
                                                        "roles",
                                                        new JsonArray()
                                                                .add("buyer")
                                                                .add("employee"))
                                                .put("department", "procurement")))
                .put(
                        "action",
                        new JsonObject()
                                .put("name", action)
                                .put("properties", tool ? new JsonObject().put("class", "tool_call") : arguments))
                .put(
                        "resource",
                        new JsonObject()
                                .put("type", resourceType)
                                .put("id", resource)
                                .put(
                                        "properties",
                                        tool
                                                ? arguments
                                                        .copy()
                                                        .put("beneficiary", "ACME Trading Limited")
                                                        .put("reference", "PO-2026-004711")
                                                : new JsonObject()))
                .put(
                        "context",
                        new JsonObject()
                                .put("mode", mode)
                                .put("confidence", confidence)
                                .put("zone", zone)
                                .put("destination", destination)
                                .put("jurisdiction", money.get(1))
                                .put("run_id", "run-20261121-000042")
                                .put("session_id", "session-77"));
    }

    private static <T> T pick(Random random, List<T> from) {
        return from.get(random.nextInt(from.size()));
    }
}
