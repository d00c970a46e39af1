package dev.countersign.rules.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.Packs;
import dev.countersign.rules.dialect.Diagnostic;
import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.pack.Pack;
import java.util.List;
import java.util.Map;

/** Suites for tests, written as an author writes them. */
final class Suites {
    /** The start of a suite in which agent a-1 pays with tool t-1; cases follow, from line 11. */
    static final String HEAD = """
            suite: payments
            clock: 2026-03-02T09:00:00Z
            fixtures:
              subjects: {agent: {type: agent, id: a-1}, user: {type: user, id: u-1}}
              actions: {pay: {name: pay}}
              resources: {tool: {type: tool, id: t-1, properties: {amount: 10}}}
              contexts: {sure: {score: 4, region: eu}}
            settings: {}
            defaults: {subject: agent, action: pay, resource: tool, context: sure}
            cases:
            """;

    static final String RULES = """
            rule "allow" when Request() then decision.allow("OK"); decision.oblige("log", "level", "full", "days", 30); end
            rule "deny-us" when Request( region == "us" ) then decision.deny("NO_US"); end
            rule "ask-large" when Request( amount > param("ceiling") ) then decision.requireApproval("LARGE", "default"); end
            rule "deny-tool" when Request( resourceId memberOf list("blocked") ) then decision.deny("BLOCKED"); end
            rule "limit" when Request( score > 8 ) then decision.limit("calls", 5, "day"); decision.transform("mode", "draft"); end
            rule "deny-old" when Request( opened != null, hoursSince(opened) > 24 ) then decision.deny("OLD"); end
            """;

    private Suites() {}

    static Pack pack() {
        return Packs.pack(RULES);
    }

    /** The suites of these files; there must be no mistake. */
    static List<Suite> read(Pack pack, Map<String, String> texts) {
        var diagnostics = new Diagnostics();
        List<Suite> suites = new ScenarioReader(pack, diagnostics).read("", texts);
        assertThat(diagnostics.all()).isEmpty();
        return suites;
    }

    /** What is said of one file. */
    static List<String> mistakes(String yaml) {
        var diagnostics = new Diagnostics();
        new ScenarioReader(pack(), diagnostics).read("p", Map.of("scenarios/a.yaml", yaml));
        return diagnostics.all().stream().map(Diagnostic::toString).toList();
    }

    /** What comes of cases under {@link #HEAD} on {@link #RULES}. */
    static List<CaseResult> run(String cases) {
        Pack pack = pack();
        return PackTest.run(pack, read(pack, Map.of("scenarios/a.yaml", HEAD + cases)))
                .results();
    }
}
