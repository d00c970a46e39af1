package dev.countersign.rules.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.Packs;
import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.pack.PackReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The engine, the interpreter, and what the ordinary Drools compiler makes of the same rules must agree. */
class PlainDroolsTest {
    private static final int COUNT = Integer.getInteger("countersign.random", 500);
    private static final long SEED = Long.getLong("countersign.seed", 20261121);

    private static final List<String> CONDITIONS = List.of(
            "action == \"run\"",
            "\"run\" != action, tenant == \"demo\"",
            "region == \"eu\"",
            "region != \"eu\"",
            "region in ( \"eu\", \"us\" )",
            "region not in ( \"eu\", \"us\" )",
            "region matches \"[a-z]{2}|e.*\"",
            "region not matches \"[a-z]{2}\"",
            "region memberOf list(\"blocked\")",
            "region not memberOf list(\"blocked\")",
            "region memberOf tags",
            "region not memberOf tags",
            "subjectId memberOf groups",
            "region str[startsWith] \"e\"",
            "region str[endsWith] \"u\"",
            "glob(region, \"e*u*\")",
            "cidr(region, \"10.0.0.0/8\")",
            "cidr(resourceId, \"10.0.0.0/8\")",
            "!( cidr(resourceId, \"fe80::/10\") || cidr(region, \"10.1.2.3/32\") )",
            "region == other",
            "region != subjectId",
            "region == param(\"home\")",
            "score == 1",
            "score != -1.5",
            "score < 1",
            "score <= 1",
            "score > param(\"ceiling\")",
            "100 >= score",
            "score in ( 1, 2, 0 )",
            "score not in ( 1, 2.5 )",
            "score > amount",
            "vip",
            "!( vip )",
            "vip == true",
            "vip != reversible",
            "vip in ( false )",
            "opened < now",
            "opened >= \"2026-01-01T00:00:00+08:00\"",
            "opened == now",
            "opened in ( \"2026-01-01T00:00:00Z\" )",
            "hoursSince(opened) > 24",
            "hoursSince(opened) == 24",
            "tags contains \"a\"",
            "tags not contains \"a\"",
            "tags contains region",
            "certificates contains \"certificate_1\"",
            "count(tags) > 2",
            "count(tags, \"a*\") >= 1",
            "count(certificates) != count(roles)",
            "payment.type == \"card\" || payment.type == null",
            "region == null",
            "region != null, score == null",
            "tags == null || vip",
            "tool == \"t-1\"",
            "tool == null && mode == \"auto\"",
            "!( region == \"eu\" && !( score > 1 || vip ) )",
            "!( !( region == \"eu\" ) || tags contains \"a\" ) || vip && score < 5",
            "( region == \"eu\" || score > 1 ) && ( vip || opened < now )",
            "subjectType == \"agent\", region == \"eu\", score >= 1");

    private static Pack synthetic() {
        var rules = new StringBuilder();
        for (int i = 0; i < CONDITIONS.size(); i++) {
            rules.append(Packs.rule(CONDITIONS.get(i), "decision.deny(\"X\");").replace("\"r\"", "\"r" + i + "\""));
        }
        return Packs.pack(rules.toString());
    }

    private static Set<String> said(Evaluation evaluation) {
        var out = new TreeSet<String>();
        evaluation.matched().forEach(rule -> out.add(rule.rule().id() + " matched"));
        evaluation.unknown().forEach(rule -> out.add(rule.rule().id() + " unknown"));
        return out;
    }

    /** How often each rule matched and was unknown. */
    private static Map<String, Integer> agree(List<Pack> packs) throws Exception {
        PlainDrools plain = PlainDrools.compile(packs);
        RuleBase base = RuleBase.of(packs);
        var seen = new HashMap<String, Integer>();
        try (Evaluator evaluator = base.evaluator()) {
            for (int i = 0; i < COUNT; i++) {
                long seed = SEED + i;
                Request request = new RandomRequests(base, new Random(seed)).next();
                Set<String> engine = said(evaluator.evaluate(request));
                String as = "countersign.seed=" + seed + " " + request.call();
                assertThat(said(base.interpret(request))).as(as).isEqualTo(engine);
                assertThat(plain.said(request)).as(as).isEqualTo(engine);
                engine.forEach(finding -> seen.merge(finding, 1, Integer::sum));
            }
        }
        return seen;
    }

    @Test
    void everyOperatorMeansWhatOrdinaryDroolsSaysItMeans() throws Exception {
        Pack pack = synthetic();
        Map<String, Integer> seen = agree(List.of(pack));
        var never = new ArrayList<String>();
        for (int i = 0; i < CONDITIONS.size(); i++) {
            if (!seen.containsKey("test/r" + i + " matched")) {
                never.add(CONDITIONS.get(i));
            }
        }
        assertThat(never).as("conditions that never held, seed " + SEED).hasSizeLessThan(4);
        assertThat(seen.keySet().stream().filter(finding -> finding.endsWith(" unknown")))
                .hasSizeGreaterThan(CONDITIONS.size() - 6);
    }

    @Test
    void everyPackOfTheProjectMeansWhatOrdinaryDroolsSaysItMeans() throws Exception {
        List<Path> folders = folders();
        var diagnostics = new Diagnostics();
        List<Pack> packs = folders.isEmpty() ? List.of() : new PackReader(diagnostics).read(folders);
        assertThat(diagnostics.all().stream().filter(found -> !found.code().warning()))
                .isEmpty();
        assertThat(packs).hasSameSizeAs(folders);
        if (!packs.isEmpty()) {
            assertThat(agree(packs)).isNotEmpty();
        }
    }

    private static List<Path> folders() throws IOException {
        var out = new ArrayList<Path>();
        for (String root : List.of("packs", "../examples")) {
            if (Files.isDirectory(Path.of(root))) {
                try (var files = Files.walk(Path.of(root), 5)) {
                    files.filter(file -> file.endsWith("pack.yaml"))
                            .filter(file -> !file.toString().contains("target"))
                            .sorted()
                            .forEach(file -> out.add(file.getParent()));
                }
            }
        }
        return out;
    }
}
