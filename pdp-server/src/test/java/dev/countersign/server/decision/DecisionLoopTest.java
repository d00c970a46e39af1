package dev.countersign.server.decision;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.StrictJson;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.pack.PackReader;
import dev.countersign.rules.verdict.Outcome;
import dev.countersign.rules.verdict.Verdict;
import dev.countersign.server.decisionlog.DecisionLog;
import dev.countersign.server.decisionlog.LogSettings;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.metrics.LogMeters;
import dev.countersign.server.metrics.Metrics;
import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DecisionLoopTest {
    private static final Caller CALLER = new Caller("key", "gate", "t", Set.of(), null, null);

    private final Stepped clock = new Stepped();
    private final Metrics metrics = new Metrics();
    private final ArrayDeque<Runnable> turns = new ArrayDeque<>();
    private DecisionLog log;
    private DecisionLoop loop;

    @BeforeEach
    void start(@TempDir Path directory) throws Exception {
        var settings = new LogSettings(directory, "server", true, Duration.ZERO, Clock.systemUTC(), UUID::randomUUID);
        log = DecisionLog.open(settings, new LogMeters(metrics, Clock.systemUTC()));
        loop = new DecisionLoop(
                log.writer(0),
                DecisionLoop.Durability.PROCESS,
                turns::add,
                clock,
                new SplittableRandom(1),
                metrics,
                (caller, user) -> {});
    }

    @AfterEach
    void stop() throws Exception {
        log.close();
        metrics.close();
    }

    /** A clock that stands still until the test moves it. */
    private static final class Stepped implements InstantSource {
        private Instant now = Instant.parse("2026-03-02T09:00:00Z");

        @Override
        public Instant instant() {
            return now;
        }

        void step(long millis) {
            now = now.plusMillis(millis);
        }
    }

    /** Counts, and takes its time. */
    private final class Seen implements Shadow.Observer {
        private final long millis;
        private int compared;
        private int dropped;

        Seen(long millis) {
            this.millis = millis;
        }

        @Override
        public void compared(Decided decided, Verdict verdict) {
            compared++;
            clock.step(millis);
        }

        @Override
        public void dropped() {
            dropped++;
        }
    }

    private static TenantPolicy policy(String name, String says) {
        var rules = "package " + name + "\nrule \"r\" when Request( ) then decision." + says + "(\"CODE\"); end\n";
        Pack pack = new PackReader(new Diagnostics())
                .read("", Map.of("pack.yaml", "name: " + name + "\nversion: 1.0.0\n", "r.drl", rules));
        return TenantPolicy.of(RuleBase.of(List.of(Objects.requireNonNull(pack))), Map.of());
    }

    private static Call call() throws Exception {
        return Call.of(StrictJson.read("""
                {"subject": {"type": "user", "id": "ann"}, "action": {"name": "read"},
                 "resource": {"type": "document", "id": "d"}}""".getBytes(StandardCharsets.UTF_8)));
    }

    private Outcome decide(TenantPolicy policy) throws Exception {
        return loop.decide(policy, CALLER, call(), null, Dialect.AUTHZEN)
                .verdict()
                .outcome();
    }

    private void endTurn() {
        while (!turns.isEmpty()) {
            turns.remove().run();
        }
    }

    private WeakReference<RuleBase> decidedByOneThatEnds() throws Exception {
        TenantPolicy policy = policy("gone", "allow");
        assertThat(decide(policy)).isEqualTo(Outcome.ALLOW);
        endTurn();
        return new WeakReference<>(policy.base());
    }

    @Test
    void rulesThatJudgeNobodyAnyMoreTakeNoMemory() throws Exception {
        WeakReference<RuleBase> gone = decidedByOneThatEnds();
        TenantPolicy next = policy("next", "deny");
        assertThat(decide(next)).isEqualTo(Outcome.DENY);
        endTurn();
        for (int i = 0; i < 100 && gone.get() != null; i++) {
            System.gc();
        }
        assertThat(gone.get()).isNull();
        assertThat(decide(next)).isEqualTo(Outcome.DENY);
    }

    @Test
    void manySetsOfRulesTakeTurns() throws Exception {
        var policies = new ArrayList<TenantPolicy>();
        for (int i = 0; i < 50; i++) {
            policies.add(policy("p" + i, i % 2 == 0 ? "allow" : "deny"));
        }
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < 50; i++) {
                assertThat(decide(policies.get(i))).isEqualTo(i % 2 == 0 ? Outcome.ALLOW : Outcome.DENY);
            }
        }
        endTurn();
    }

    private TenantPolicy watched(Seen seen) {
        return policy("answering", "allow").withShadows(List.of(new Shadow(policy("watched", "deny"), seen)));
    }

    private void decideInOneTurn(int times, TenantPolicy policy) throws Exception {
        for (int i = 0; i < times; i++) {
            assertThat(decide(policy)).isEqualTo(Outcome.ALLOW);
        }
        endTurn();
    }

    @Test
    void shadowsTakeALittleOfATurnAndWhatIsMoreIsDroppedAndTold() throws Exception {
        var seen = new Seen(3);
        decideInOneTurn(10, watched(seen));
        assertThat(seen.compared).as("the fourth begins after 9 ms").isEqualTo(4);
        assertThat(seen.dropped).isEqualTo(6);
        decideInOneTurn(1, watched(seen));
        assertThat(seen.compared).as("the next turn has time of its own").isEqualTo(5);
    }

    @Test
    void theShadowsOfOneTenantShareTheTimeWhenItDoesNotSuffice() throws Exception {
        var first = new Seen(ShadowTime.TURN);
        var second = new Seen(ShadowTime.TURN);
        TenantPolicy policy = policy("answering", "allow")
                .withShadows(
                        List.of(new Shadow(policy("one", "deny"), first), new Shadow(policy("other", "deny"), second)));
        for (int turn = 0; turn < 200; turn++) {
            decideInOneTurn(1, policy);
            clock.step(100);
        }
        assertThat(first.compared + second.compared).isEqualTo(200);
        assertThat(first.compared).isBetween(60, 140);
    }

    @Test
    void whatTheLogRefusedIsDroppedAndTold() throws Exception {
        var seen = new Seen(0);
        TenantPolicy policy = watched(seen);
        for (int i = 0; i < 3; i++) {
            decide(policy);
        }
        log.close();
        endTurn();
        assertThat(seen.compared).isZero();
        assertThat(seen.dropped).isEqualTo(3);
    }

    @Test
    void shadowsTakeNoMoreThanAFifthOfTheTimeForLong() throws Exception {
        var seen = new Seen(5);
        TenantPolicy policy = watched(seen);
        Instant begun = clock.instant();
        for (int turn = 0; turn < 10_000; turn++) {
            decideInOneTurn(1, policy);
            clock.step(1);
        }
        long passed = Duration.between(begun, clock.instant()).toMillis();
        assertThat(seen.compared + seen.dropped).isEqualTo(10_000);
        assertThat(5L * seen.compared).isBetween(passed / 5, passed / 5 + ShadowTime.SAVED + 5);
    }

    @Test
    void oneComparisonThatTookAnHourEndsShadowsForSecondsAndNotForHours() throws Exception {
        var slow = new Seen(3_600_000);
        decideInOneTurn(1, watched(slow));
        var seen = new Seen(0);
        decideInOneTurn(1, watched(seen));
        assertThat(seen.dropped).isEqualTo(1);
        clock.step(6_000);
        decideInOneTurn(1, watched(seen));
        assertThat(seen.compared).isEqualTo(1);
    }

    @Test
    void aClockThatIsPutBackKeepsNoShadowFromJudging() throws Exception {
        var seen = new Seen(-60_000);
        for (int turn = 0; turn < 10; turn++) {
            decideInOneTurn(2, watched(seen));
        }
        assertThat(seen.compared).isEqualTo(20);
    }
}
