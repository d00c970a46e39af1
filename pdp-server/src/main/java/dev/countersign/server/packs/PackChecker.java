package dev.countersign.server.packs;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.dialect.Code;
import dev.countersign.rules.dialect.Diagnostic;
import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.dialect.Rule;
import dev.countersign.rules.facts.ServerOwn;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.pack.PackReader;
import dev.countersign.rules.scenarios.PackTest;
import dev.countersign.rules.scenarios.PackTestResult;
import dev.countersign.rules.scenarios.ScenarioReader;
import dev.countersign.rules.scenarios.Suite;
import dev.countersign.rules.scenarios.TestReport;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Checks uploaded packs and runs their scenarios: one pack after the other on a thread of its own, so that no decision waits
 * for it.
 */
public final class PackChecker {
    /** The most that rules times cases may come to. */
    public static final long MOST_WORK = 1_000_000;

    /** The most invariants of a pack. */
    public static final int MOST_INVARIANTS = 20;

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int MOST_WAITING = 8;
    private static final long LIMIT_SECONDS = 30;
    private static final int LONGEST_REPORT = 256 * 1024;
    /** What no published pack may be called. */
    private static final Set<String> RESERVED = Set.of(Rule.POLICIES, ServerOwn.PACK, Unusable.NAME);

    private final WorkerExecutor worker;
    private final AtomicInteger waiting = new AtomicInteger();

    /**
     * What came of a check.
     *
     * @param pack the pack; {@code null} if it has mistakes
     * @param passed whether it has no mistakes, and passes its scenarios and its own bar
     * @param report the diagnostics and what the scenarios came to, as {@code countersign test --format json} has it, without
     *     the cases that passed, and how many rules there are
     */
    public record Checked(@Nullable Pack pack, boolean passed, ObjectNode report) {}

    /** Why a pack was not checked; the message is for who asked. */
    public static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Refused(String message) {
            super(message, null, false, false);
        }
    }

    /** A checker that ends with {@code vertx}. */
    public PackChecker(Vertx vertx) {
        this.worker = vertx.createSharedWorkerExecutor("packs", 1, LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    /** What comes of these files as the pack {@code name} of a tenant or the operator; failed with {@link Refused} if there is no time for it. */
    public Future<Checked> check(String name, PackFiles files, boolean ofTenant) {
        if (waiting.incrementAndGet() > MOST_WAITING) {
            waiting.decrementAndGet();
            return Future.failedFuture(new Refused("this server checks other packs: try again in a moment"));
        }
        return worker.executeBlocking(() -> checked(name, files, ofTenant))
                .onComplete(done -> waiting.decrementAndGet())
                .timeout(LIMIT_SECONDS, TimeUnit.SECONDS)
                .recover(failure -> Future.failedFuture(
                        failure instanceof java.util.concurrent.TimeoutException
                                ? new Refused("the scenarios of this pack, or of those before it, take longer than "
                                        + LIMIT_SECONDS + " s")
                                : failure));
    }

    private static boolean readsEnvironment(Pack pack) {
        var names = pack.vocabulary();
        return names.params().values().stream().anyMatch(param -> param.env() != null)
                || names.lists().values().stream().anyMatch(list -> list.env() != null);
    }

    private static Checked checked(String name, PackFiles files, boolean ofTenant) {
        var diagnostics = new Diagnostics();
        Pack pack = files.read(diagnostics);
        if (pack != null && !pack.name().equals(name)) {
            error(diagnostics, "the pack is called `" + pack.name() + "` here, and `" + name + "` in the path");
        }
        if (pack != null && ofTenant && readsEnvironment(pack)) {
            error(diagnostics, "the environment is the operator's: a tenant's pack names no variable under `env`");
        }
        if (RESERVED.contains(name)) {
            error(diagnostics, "the pack name `" + name + "` is the server's own: rename the pack");
        }
        var reports = new ArrayList<TestReport>();
        if (pack != null) {
            List<Suite> suites = new ScenarioReader(pack, diagnostics).read("", files.texts());
            long cases =
                    suites.stream().mapToLong(suite -> suite.cases().size()).sum();
            if (cases * pack.rules().size() > MOST_WORK) {
                error(
                        diagnostics,
                        "there are " + pack.rules().size() + " rules and " + cases
                                + " cases: a server runs no more than " + MOST_WORK
                                + " in their product, `countersign test` runs any");
            }
            int invariants =
                    suites.stream().mapToInt(suite -> suite.invariants().size()).sum();
            if (invariants > MOST_INVARIANTS) {
                error(
                        diagnostics,
                        "there are " + invariants + " invariants: a server looks at no more than " + MOST_INVARIANTS
                                + ", `countersign test` at any");
            }
            if (!diagnostics.hasErrors()) {
                try {
                    reports.add(PackTest.withoutMutants(pack, suites));
                } catch (IllegalArgumentException e) {
                    error(diagnostics, String.valueOf(e.getMessage()));
                }
            }
        }
        var result = new PackTestResult(List.copyOf(reports), diagnostics.all());
        ObjectNode report = report(result)
                .put(PackStore.RULES, pack == null ? 0 : pack.rules().size());
        return new Checked(reports.isEmpty() ? null : pack, result.exitCode() == 0, report);
    }

    private static void error(Diagnostics diagnostics, String message) {
        diagnostics.add(new Diagnostic(PackReader.MANIFEST, 1, 1, Code.Y001, message, null, null));
    }

    private static ObjectNode report(PackTestResult result) {
        try {
            ObjectNode report = (ObjectNode) JSON.readTree(result.render(PackTestResult.Format.JSON));
            for (JsonNode pack : report.path("packs")) {
                ((ObjectNode) pack).remove("mutants");
                var failed = JSON.createArrayNode();
                pack.path("results").forEach(each -> {
                    if (!each.path("passed").asBoolean()) {
                        failed.add(each);
                    }
                });
                ((ObjectNode) pack).set("results", failed);
            }
            return report.toString().length() <= LONGEST_REPORT ? report : shortened(report);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a report is JSON", e);
        }
    }

    private static ObjectNode shortened(ObjectNode report) {
        cut(report.path("diagnostics"));
        for (JsonNode pack : report.path("packs")) {
            cut(pack.path("results"));
            cut(pack.path("invariants"));
            ((ObjectNode) pack.path("coverage")).remove("rules");
        }
        return report.put("shortened", true);
    }

    private static void cut(JsonNode list) {
        while (list.size() > 50) {
            ((ArrayNode) list).remove(list.size() - 1);
        }
    }
}
