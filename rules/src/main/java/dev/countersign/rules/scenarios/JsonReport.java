package dev.countersign.rules.scenarios;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;

/** A result for programs. */
final class JsonReport {
    private JsonReport() {}

    static ObjectNode of(PackTestResult result) {
        ObjectNode out = JsonNodeFactory.instance.objectNode();
        out.put("exit_code", result.exitCode());
        ArrayNode diagnostics = out.putArray("diagnostics");
        result.diagnostics().forEach(diagnostic -> {
            ObjectNode node = diagnostics.addObject();
            node.put("file", diagnostic.file())
                    .put("line", diagnostic.line())
                    .put("column", diagnostic.column())
                    .put("code", diagnostic.code().name())
                    .put("warning", diagnostic.code().warning())
                    .put("message", diagnostic.message());
            if (diagnostic.hint() != null) {
                node.put("hint", diagnostic.hint());
            }
            if (diagnostic.fix() != null) {
                node.put("fix", diagnostic.fix());
            }
        });
        ArrayNode packs = out.putArray("packs");
        result.reports().forEach(report -> packs.add(pack(report)));
        return out;
    }

    private static ObjectNode pack(TestReport report) {
        ObjectNode out = JsonNodeFactory.instance.objectNode();
        out.put("pack", report.pack().name())
                .put("version", report.pack().version())
                .put("digest", report.pack().digest())
                .put("exit_code", report.exitCode())
                .put("cases", report.results().size())
                .put("failed", report.failed().size());
        ArrayNode results = out.putArray("results");
        report.results().forEach(result -> results.add(result(result)));
        ArrayNode invariants = out.putArray("invariants");
        report.invariants().forEach(result -> invariants.add(invariant(result)));
        out.set("coverage", coverage(report.coverage()));
        out.set("mutants", mutants(report));
        return out;
    }

    private static ObjectNode result(CaseResult result) {
        ObjectNode out = JsonNodeFactory.instance.objectNode();
        out.put("suite", result.scenario().suite())
                .put("name", result.scenario().name())
                .put("file", result.scenario().file())
                .put("line", result.scenario().line())
                .put("passed", result.passed())
                .put("decision", result.verdict().outcome().word());
        ArrayNode reasons = out.putArray("reasons");
        result.verdict().reasons().forEach(reasons::add);
        ArrayNode matched = out.putArray("matched");
        result.verdict().matched().forEach(rule -> matched.add(rule.name()));
        if (!result.passed()) {
            ArrayNode failures = out.putArray("failures");
            for (Failure failure : result.failures()) {
                failures.addObject()
                        .put("kind", failure.kind().name().toLowerCase(Locale.ROOT))
                        .put("what", failure.what())
                        .put("expected", failure.expected())
                        .put("got", failure.got());
            }
            ArrayNode whyNot = out.putArray("why_not");
            result.whyNot().forEach(rule -> whyNot.add(rule.toJson()));
        }
        return out;
    }

    private static ObjectNode invariant(InvariantResult result) {
        Invariant invariant = result.invariant();
        ObjectNode out = JsonNodeFactory.instance.objectNode();
        out.put("suite", invariant.suite())
                .put("name", invariant.name())
                .put("file", invariant.file())
                .put("line", invariant.line())
                .put("passed", result.passed())
                .put("tried", result.tried())
                .put("exact", result.whyNotExact() == null);
        if (result.whyNotExact() != null) {
            out.put("why_not_exact", result.whyNotExact());
        }
        if (!result.passed()) {
            out.put("problem", result.problem());
        }
        if (result.example() != null) {
            out.set("example", result.example().body());
            out.put("decision", result.example().verdict().outcome().word());
        }
        return out;
    }

    private static ObjectNode mutants(TestReport report) {
        ObjectNode out = share(report.noticed());
        out.put("equivalent", report.mutants().equivalent());
        ArrayNode survivors = out.putArray("survivors");
        report.mutants()
                .survivors()
                .forEach(survivor -> survivors
                        .addObject()
                        .put("rule", survivor.rule().id())
                        .put("file", survivor.rule().file())
                        .put("line", survivor.rule().line())
                        .put("how", survivor.how())
                        .put("scenario", survivor.scenario()));
        return out;
    }

    private static ObjectNode coverage(Coverage coverage) {
        ObjectNode out = JsonNodeFactory.instance.objectNode();
        out.set("matched", share(coverage.rulesMatched()));
        out.set("conditions", share(coverage.conditionsSeen()));
        out.set("needed", share(coverage.rulesNeeded()));
        ArrayNode rules = out.putArray("rules");
        for (Coverage.OfRule rule : coverage.rules()) {
            ObjectNode node = rules.addObject();
            node.put("rule", rule.rule().id())
                    .put("file", rule.rule().file())
                    .put("line", rule.rule().line())
                    .put("matched", rule.matched())
                    .put("need", rule.need().name().toLowerCase(Locale.ROOT));
            ArrayNode tests = node.putArray("tests");
            rule.tests()
                    .forEach(test -> tests.addObject()
                            .put("text", test.text())
                            .put("seen_true", test.seenTrue())
                            .put("seen_false", test.seenFalse()));
        }
        return out;
    }

    private static ObjectNode share(Coverage.Share share) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("reached", share.reached())
                .put("of", share.of())
                .put("percent", share.percent())
                .put("bar", share.bar())
                .put("met", share.met());
    }
}
