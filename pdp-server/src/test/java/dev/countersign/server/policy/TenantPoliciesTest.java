package dev.countersign.server.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.rows.RowTable;
import dev.countersign.rules.rows.RowVocabulary;
import dev.countersign.server.decision.TenantPolicy;
import dev.countersign.server.packs.PackSets;
import dev.countersign.server.settings.TenantSettings;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class TenantPoliciesTest {
    private static final RuleBase BASE = RuleBase.of(List.of());
    private static final TenantPolicy POLICY = TenantPolicy.of(
            BASE,
            Map.of(),
            Map.of(),
            List.of(RowTable.of(BASE, RowVocabulary.of(List.of(), Map.of()), "t", List.of(), Set.of())));

    private static PlanePacks packs(long generation) {
        return PlanePacks.of(generation, new PackSets(Map.of()), List.of(), List.of(), List.of());
    }

    /** A database whose answers come when the test says so. */
    private static final class Database implements TenantPolicies.Source {
        private final Map<String, Long> revisions = new TreeMap<>();
        private final Deque<Runnable> answers = new ArrayDeque<>();
        private final Deque<Set<String>> reads = new ArrayDeque<>();
        private boolean away;
        private boolean gone;
        private long generation;
        private String broken = "";

        @Override
        public long generation() {
            return generation;
        }

        @Override
        public TenantState remade(TenantState state) {
            if (state.tenant().equals(broken)) {
                throw new IllegalStateException("broken");
            }
            return state(state.tenant(), state.revision());
        }

        @Override
        public Future<Map<String, TenantState>> read(Map<String, @Nullable TenantState> known) {
            reads.add(new TreeSet<>(known.keySet()));
            var states = new TreeMap<String, TenantState>();
            // What is read is of the time of the question, however late the answer comes.
            known.keySet()
                    .forEach(tenant -> states.put(
                            tenant,
                            state(
                                    tenant,
                                    Math.max(revisions.getOrDefault(tenant, 0L), revisions.getOrDefault("", 0L)))));
            Promise<Map<String, TenantState>> answer = Promise.promise();
            boolean fails = gone || away && !known.containsKey("");
            answers.add(() -> {
                if (fails) {
                    answer.fail("away");
                } else {
                    answer.complete(states);
                }
            });
            return answer.future();
        }

        @Override
        public Future<TenantPolicies.Changes> changedSince(long revision) {
            var changed = new TreeMap<>(revisions);
            changed.values().removeIf(number -> number <= revision);
            long latest = revisions.values().stream().max(Long::compare).orElse(0L);
            return Future.succeededFuture(new TenantPolicies.Changes(changed, changed.getOrDefault("", 0L), latest));
        }

        private TenantState state(String tenant, long revision) {
            return new TenantState(
                    tenant, revision, packs(generation), TenantSettings.NONE, List.of(), List.of(), Set.of(), POLICY);
        }

        void answer() {
            answers.remove().run();
        }
    }

    private final Database database = new Database();
    private final TenantPolicies policies = new TenantPolicies(database, 1 << 20);

    private long held(String tenant) {
        TenantState state = policies.now(tenant);
        return state == null ? -1 : state.revision();
    }

    private void hold(String tenant) {
        policies.get(tenant);
        database.answer();
        database.reads.clear();
    }

    @Test
    void manyWhoNeedATenantAtOnceCauseOneReading() {
        var first = policies.get("a");
        var second = policies.get("a");
        assertThat(policies.now("a")).isNull();
        database.answer();
        assertThat(first.result()).isSameAs(second.result()).isSameAs(policies.now("a"));
        assertThat(policies.get("a").result()).isSameAs(first.result());
        assertThat(database.reads).hasSize(1);
    }

    @Test
    void whatIsHeldAndHasChangedIsReadAgainAndNothingElse() {
        hold("a");
        hold("b");
        database.revisions.put("a", 1L);
        database.revisions.put("c", 2L);
        var refreshed = policies.refresh(0);
        assertThat(held("a"))
                .as("the old one serves until the new one is there")
                .isZero();
        database.answer();
        assertThat(refreshed.result()).isEqualTo(2);
        assertThat(held("a")).isEqualTo(1);
        assertThat(database.reads).containsExactly(Set.of("a"));
    }

    @Test
    void whatJudgesEverybodyIsReadAgainForAll() {
        hold("a");
        hold("b");
        database.revisions.put("", 1L);
        policies.refresh(0);
        assertThat(database.reads).containsExactly(Set.of("a", "b"));
    }

    @Test
    void aChangeDuringAFirstReadingIsNotMissed() {
        var first = policies.get("a");
        database.revisions.put("a", 1L);
        assertThat(policies.refresh(0).result()).isEqualTo(1);
        database.answer();
        assertThat(first.isComplete()).as("it is read once more").isFalse();
        database.answer();
        assertThat(first.result().revision()).isEqualTo(1);
    }

    @Test
    void aReadingThatIsOvertakenByANewerOneChangesNothing() {
        hold("a");
        database.revisions.put("a", 1L);
        policies.refresh(0);
        database.revisions.put("a", 2L);
        policies.refresh(1);
        Runnable older = database.answers.remove();
        database.answer();
        older.run();
        assertThat(held("a")).isEqualTo(2);
    }

    @Test
    void aReadingThatFailsIsTriedAgainByTheNextWhoNeedsIt() {
        database.away = true;
        var failed = policies.get("a");
        database.answer();
        assertThat(failed.cause()).hasMessage("away");
        database.away = false;
        var next = policies.get("a");
        database.answer();
        assertThat(next.succeeded()).isTrue();
    }

    @Test
    void aRefreshThatFailsAsTheDatabaseIsAwayKeepsWhatThereWasAndIsNotOver() {
        hold("a");
        database.revisions.put("a", 1L);
        database.gone = true;
        var refreshed = policies.refresh(0);
        database.answer();
        database.answer();
        assertThat(refreshed.failed()).isTrue();
        assertThat(held("a")).isZero();
    }

    @Test
    void aTenantThatAloneCannotBeReadIsForgottenAndKeepsNobodyFromWhatIsNew() {
        hold("a");
        database.revisions.put("a", 1L);
        database.away = true;
        var refreshed = policies.refresh(0);
        database.answer();
        database.answer();
        assertThat(refreshed.result()).isEqualTo(1);
        assertThat(held("a")).as("nothing is held").isEqualTo(-1);
    }

    @Test
    void aDatabaseThatWasPutBackIsReadAnew() {
        hold("a");
        database.revisions.put("a", 3L);
        policies.refresh(0);
        database.answer();
        database.revisions.put("a", 1L);
        assertThat(policies.refresh(3).result()).isEqualTo(1);
        assertThat(held("a")).isEqualTo(-1);
    }

    @Test
    void moreTenantsThanFitAreForgottenAndReadAgainWhenNeeded() {
        var few = new TenantPolicies(database, 10_000);
        for (int i = 0; i < 100; i++) {
            few.get("tenant-" + i);
            database.answer();
        }
        assertThat(few.bytes()).isLessThanOrEqualTo(10_000);
        assertThat(few.tenants()).isPositive();
    }

    @Test
    void whatWasReadBeforeTheFilesChangedIsReadAgain() {
        hold("t");
        database.revisions.put("t", 1L);
        Future<Long> refreshed = policies.refresh(0);
        database.generation = 1;
        policies.remake();
        assertThat(generation("t")).isEqualTo(1);
        database.answer();
        assertThat(generation("t")).isEqualTo(1);
        assertThat(refreshed.isComplete()).isFalse();
        database.answer();
        assertThat(generation("t")).isEqualTo(1);
        assertThat(held("t")).isEqualTo(1);
        assertThat(refreshed.succeeded()).isTrue();

        policies.get("other");
        database.generation = 2;
        policies.remake();
        database.answer();
        assertThat(policies.now("other")).as("read before the change").isNull();
        database.answer();
        assertThat(generation("other")).isEqualTo(2);
    }

    private long generation(String tenant) {
        TenantState state = policies.now(tenant);
        return state == null ? -1 : state.packs().generation();
    }

    @Test
    void aTenantThatTheFilesBreakIsForgottenAndTheOthersAreJudgedByThem() {
        for (String tenant : List.of("a", "b", "c")) {
            hold(tenant);
        }
        database.broken = "b";
        database.generation = 1;
        policies.remake();
        assertThat(generation("a")).isEqualTo(1);
        assertThat(policies.now("b")).isNull();
        assertThat(generation("c")).isEqualTo(1);
        assertThat(policies.get("b").isComplete()).as("it is read again").isFalse();
    }
}
