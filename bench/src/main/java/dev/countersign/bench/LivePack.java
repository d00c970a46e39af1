package dev.countersign.bench;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A pack of which every version answers one question by two rules in two files, which name the version: an answer that is
 * not wholly of one version is by half a change.
 *
 * @param name the pack's
 * @param action that is asked about
 * @param rules how many it has; two of them match the question
 */
record LivePack(String name, String action, int rules) {
    /** Stands for no version: none of the pack's rules had a say in an answer. */
    static final int NONE = 0;
    /** Stands for parts of versions in one answer. */
    static final int HALF = -1;

    private static final Pattern REASON = Pattern.compile("V([1-9][0-9]*)_[0-9]+");

    private static final String TENANT = "demo";
    /** The first rule that is about the big pack's action, and the distance to the next. */
    private static final int FIRST = 4;

    private static final int STEP = 10;
    private static final int RULES_A_FILE = 10;
    private static final int AMOUNT = 1_000_000 + FIRST + STEP + 2;

    /** Two rules that deny, or allow and oblige. */
    static LivePack pair() {
        return new LivePack("live-pair", "live.pair", 2);
    }

    /** Rules that deny above limits, which are higher in even versions: these let more through. */
    static LivePack big(int rules) {
        return new LivePack("live-big", Workload.action(FIRST), rules);
    }

    private boolean big() {
        return rules > 2;
    }

    /** Whether the decision of a version is an allow, with an obligation by each of the two rules. */
    boolean allows(int version) {
        return !big() && version % 3 != 1;
    }

    /** What a version is published with. */
    JsonObject upload(int version) {
        var files = new JsonObject()
                .put(
                        "pack.yaml",
                        "name: " + name + "\nversion: " + version
                                + ".0.0\ntests: {rules: 0, conditions: 0, needed: 0}\n")
                .put("scenarios/live.yaml", """
                        suite: live
                        clock: 2026-03-02T09:00:00Z
                        cases:
                          - name: the question
                            given:
                              subject: {type: agent, id: a}
                              action: {name: %s}
                              resource: {type: tool, id: t, properties: {amount: %d}}
                            expect: {decision: %s, reasons: [%s, %s]}
                        """.formatted(
                        action, AMOUNT, allows(version) ? "allow" : "deny", reason(version, 0), reason(version, 1)));
        for (int first = 0; first < rules; first += big() ? RULES_A_FILE : 1) {
            files.put("rules-" + first + ".drl", big() ? limits(version, first) : one(version, first));
        }
        return new JsonObject().put("files", files);
    }

    private String one(int version, int number) {
        String effect = allows(version)
                ? "decision.allow(\"%1$s\");\n  decision.oblige(\"custom\", \"by\", \"%1$s\");"
                : "decision.deny(\"%1$s\");";
        return """
                package live_pair

                rule "rule %d"
                when
                  Request( tenant == "%s", action == "%s" )
                then
                  %s
                end
                """.formatted(number, TENANT, action, effect.formatted(reason(version, number)));
    }

    private String limits(int version, int first) {
        var text = new StringBuilder("package " + name.replace('-', '_') + "\n");
        for (int i = first; i < first + RULES_A_FILE; i++) {
            int limit = 1_000_000 + i + (version % 2 == 0 ? 1 : 0);
            BenchPack.rule(text, i, TENANT, limit, reason(version, (i - FIRST) / STEP));
        }
        return text.toString();
    }

    private static String reason(int version, int rule) {
        return "V" + version + "_" + rule;
    }

    /** The question, as a request for a decision. */
    String question() {
        var body = new JsonObject(Workload.single());
        body.getJsonObject("action").put("name", action);
        body.getJsonObject("resource").getJsonObject("properties").put("amount", AMOUNT);
        body.getJsonObject("context").put("supported_obligations", new JsonArray().add("custom"));
        return body.encode();
    }

    /** The version that an answer to the question is wholly of, or {@link #NONE}, or {@link #HALF}. */
    int version(JsonObject answer) {
        JsonObject context = answer.getJsonObject("context", new JsonObject());
        Set<String> reasons = new HashSet<>();
        context.getJsonArray("reasons", new JsonArray()).forEach(each -> reasons.add(String.valueOf(each)));
        reasons.removeIf(reason -> !REASON.matcher(reason).matches()); // other packs have a say too
        Set<String> obliged = new HashSet<>();
        context.getJsonArray("obligations", new JsonArray())
                .forEach(each -> obliged.add(String.valueOf(
                        ((JsonObject) each).getJsonObject("properties").getString("by"))));
        if (reasons.isEmpty() && obliged.isEmpty()) {
            return NONE;
        }
        Matcher first =
                REASON.matcher(reasons.isEmpty() ? "" : reasons.iterator().next());
        if (!first.matches()) {
            return HALF;
        }
        int version = Integer.parseInt(first.group(1));
        Set<String> both = Set.of(reason(version, 0), reason(version, 1));
        boolean allow = allows(version);
        return reasons.equals(both)
                        && Boolean.TRUE.equals(answer.getBoolean("decision")) == allow
                        && obliged.equals(allow ? both : Set.of())
                ? version
                : HALF;
    }
}
