package dev.countersign.server.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.pack.PackReader;
import dev.countersign.rules.rows.RowTable;
import dev.countersign.rules.rows.RowVocabulary;
import dev.countersign.server.decision.TenantPolicy;
import dev.countersign.server.packs.PackSets;
import dev.countersign.server.settings.TenantSettings;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.sqlclient.SqlConnection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What a comparison finds, and that it is made once. */
class ComparisonsTest {
    private static Vertx vertx;

    @BeforeAll
    static void start() {
        vertx = Vertx.vertx();
    }

    @AfterAll
    static void stop() throws Exception {
        vertx.close().await(10, TimeUnit.SECONDS);
    }

    private static TenantPolicy policy(String rules) {
        var diagnostics = new Diagnostics();
        var pack = new PackReader(diagnostics)
                .read(
                        "",
                        Map.of(
                                "pack.yaml",
                                """
                                name: p
                                version: 1.0.0
                                attributes:
                                  sum: {type: number, from: resource.properties.sum}
                                  region: {type: text, from: resource.properties.region}
                                """,
                                "r.drl",
                                "package p\nrule \"all\" when Request( ) then decision.allow(\"OK\"); end\n" + rules));
        assertThat(diagnostics.all().toString()).doesNotContain(": error ");
        RuleBase base = RuleBase.of(List.of(Objects.requireNonNull(pack)));
        RowTable none = RowTable.of(base, RowVocabulary.of(List.of(), Map.of()), "t", List.of(), Set.of());
        return TenantPolicy.of(base, Map.of(), Map.of(), List.of(none));
    }

    private static TenantState state(TenantPolicy policy) {
        return new TenantState(
                "t",
                1,
                PlanePacks.of(0, new PackSets(Map.of()), List.of(), List.of(), List.of()),
                TenantSettings.NONE,
                List.of(),
                List.of(),
                Set.of(),
                policy);
    }

    /** The change after which another policy judges. */
    private record To(TenantPolicy policy) implements PolicyChange<@Nullable Object> {
        @Override
        public Proposal.Kind kind() {
            return Proposal.Kind.PACK;
        }

        @Override
        public String name() {
            return "p";
        }

        @Override
        public String json() {
            return "{}";
        }

        @Override
        public boolean sensitive() {
            return false;
        }

        @Override
        public TenantPolicy applied(TenantState state) {
            return policy;
        }

        @Override
        public Future<Long> version(SqlConnection connection) {
            return Future.succeededFuture(1L);
        }

        @Override
        public Future<@Nullable Object> apply(SqlConnection connection, Author by, @Nullable Proposal proposal) {
            return Future.succeededFuture(null);
        }
    }

    private static Difference difference(String before, String after) {
        return Difference.of(state(policy(before)), new To(policy(after)));
    }

    private static String deny(String name, String condition) {
        return "rule \"%s\" when Request( %s ) then decision.deny(\"NO\"); end\n".formatted(name, condition);
    }

    @Test
    void whoAsksTheSameWhileItIsComparedIsToldWhatWasFound() throws Exception {
        var comparisons = new Comparisons(vertx);
        TenantState now = state(policy(deny("no", "sum > 100")));
        TenantPolicy wider = policy(deny("no", "sum > 200"));
        var asked = IntStream.range(0, 5)
                .mapToObj(i -> comparisons.of(now, new To(wider)))
                .toList();
        Difference first = asked.get(0).await(30, TimeUnit.SECONDS);
        assertThat(first.widens()).isTrue();
        for (Future<Difference> each : asked) {
            assertThat(each.await(30, TimeUnit.SECONDS)).isSameAs(first);
        }
    }

    @Test
    void whatIsOnlySampledIsNotShown() {
        Difference feared = difference(
                deny("no", "region matches \"(eu|us)-[0-9]+\""), deny("no", "region matches \"(eu|us)-[0-9][0-9]*\""));
        assertThat(feared.widens()).isTrue();
        assertThat(feared.shown()).isFalse();
    }

    @Test
    void whatIsFoundIsShown() {
        Difference found = difference(deny("no", "sum > 100"), deny("no", "sum > 200"));
        assertThat(found.widens()).isTrue();
        assertThat(found.shown()).isTrue();
    }

    @Test
    void whatWasCutShortCountsAsShownIfItCouldWiden() {
        String many = IntStream.range(0, 600)
                .mapToObj(i -> deny("no " + i, "region == \"r-" + i + "\", sum > 100"))
                .collect(Collectors.joining());
        Difference cut = difference(many, many.replace("\"NO\"", "\"NEVER\""));
        assertThat(cut.json()).contains("\"widening\":\"could\"", "only some of them were looked at");
        assertThat(cut.widens()).isTrue();
        assertThat(cut.shown()).isTrue();

        Difference more = difference("", many);
        assertThat(more.widens()).as("only denials are new").isFalse();
        assertThat(more.shown()).isFalse();
    }

    @Test
    void otherTermsAreAnotherDifference() {
        String denied = deny("no", "sum > 100");
        String limit = "rule \"limit\" when Request( ) then decision.limit(\"tokens\", 10, \"run\"); end\n";
        Difference limited = difference(limit + denied, limit);
        assertThat(limited.json()).contains("decision.limit(\\\"tokens\\\", 10, \\\"run\\\");");
        assertThat(limited.sameAs(limited.json())).isTrue();
        assertThat(difference(denied, "").sameAs(limited.json())).isFalse();
        String other = limit.replace("10", "20");
        assertThat(difference(other + denied, other).sameAs(limited.json())).isFalse();
    }
}
