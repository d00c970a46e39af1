package dev.countersign.rules.boundary;

import static dev.countersign.rules.boundary.Judges.ALLOW;
import static dev.countersign.rules.boundary.Judges.diff;
import static dev.countersign.rules.boundary.Judges.rule;
import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.boundary.DiffResult.Widening;
import dev.countersign.rules.verdict.Outcome;
import org.junit.jupiter.api.Test;

/** Which values are tried, type by type. */
class BoundaryValuesTest {
    private static String deny(String condition) {
        return ALLOW + rule("no", condition, "decision.deny(\"NO\");");
    }

    private static Change only(DiffResult result) {
        assertThat(result.changes()).hasSize(1);
        return result.changes().get(0);
    }

    private static Outcome[] outcomes(Change change) {
        return new Outcome[] {change.before().outcome(), change.after().outcome()};
    }

    @Test
    void absentAndUnusableValuesAreTriedToo() {
        DiffResult result = diff(deny("region == \"us\""), deny("region != null, region == \"us\""));

        Change change = only(result);
        assertThat(change.before().missing()).isEqualTo("region");
        assertThat(outcomes(change)).containsExactly(Outcome.DENY, Outcome.ALLOW);
        assertThat(change.example().at("/context/region").isMissingNode()).isTrue();

        DiffResult wrongType = diff(deny("region != null, region == \"us\""), ALLOW);
        assertThat(wrongType.changes())
                .anySatisfy(found -> assertThat(
                                found.example().at("/context/region").isTextual()
                                        || found.example().at("/context/region").isMissingNode())
                        .isFalse());
    }

    @Test
    void hoursSinceATimeAreCountedFromTheFrame() {
        DiffResult result = diff(deny("hoursSince(opened) > 24"), deny("hoursSince(opened) > 48"));

        Change change = only(result);
        assertThat(change.widens()).isTrue();
        assertThat(result.exact()).as(result.whyNotExact()).isTrue();
        var opened =
                java.time.Instant.parse(change.example().at("/context/opened").asText());
        assertThat(java.time.Duration.between(opened, Judges.FRAME.now()))
                .isGreaterThan(java.time.Duration.ofHours(24))
                .isLessThanOrEqualTo(java.time.Duration.ofHours(48));
    }

    @Test
    void aRuleWithADateIsAskedAroundThatDate() {
        DiffResult result = diff(deny("now < \"2026-12-31T00:00:00Z\""), deny("now < \"2026-11-30T00:00:00Z\""));

        assertThat(only(result).widens()).isTrue();
        assertThat(only(result).now()).isBetween("2026-11-30T00:00:00Z", "2026-12-31T00:00:00Z");
    }

    @Test
    void listsAndCountsAndPathsInsideThemAreTried() {
        assertThat(diff(deny("roles contains \"dev\""), deny("roles contains \"ops\", roles contains \"dev\""))
                        .changes()
                        .get(0)
                        .example()
                        .at("/subject/properties/roles")
                        .toString())
                .isEqualTo("[\"dev\"]");
        assertThat(diff(deny("count(tags) > 3"), deny("count(tags) > 4")).changes())
                .anySatisfy(change ->
                        assertThat(change.example().at("/context/tags")).hasSize(4));
        assertThat(diff(deny("count(certificates, \"c_*\") > 1"), deny("count(certificates, \"c_*\") > 2")))
                .satisfies(result -> {
                    assertThat(result.widening()).isEqualTo(Widening.YES);
                    assertThat(result.exact()).isFalse();
                    assertThat(result.changes().get(0).example().at("/resource/properties/payment_methods"))
                            .hasSize(2);
                });
    }

    @Test
    void patternsSayThatTheyAreSampled() {
        DiffResult result = diff(deny("region matches \"(eu|us)-[0-9]+\""), deny("region matches \"eu-[0-9]+\""));

        assertThat(result.widening()).isEqualTo(Widening.YES);
        assertThat(result.changes().get(0).example().at("/context/region").asText())
                .startsWith("us-");
        assertThat(result.exact()).isFalse();
        assertThat(result.whyNotExact()).contains("region matches").contains("sampled");
    }

    @Test
    void aChangeThatNoSampleShowsCouldStillWiden() {
        DiffResult result = diff(
                deny("region matches \"(?i:x){7}[\\\\pL&&]?q\\\\x{31}\""),
                deny("region matches \"(?i:x){7}[\\\\pL&&]?q1\""));

        assertThat(result.exact()).isFalse();
        assertThat(result.widening()).isNotEqualTo(Widening.NO);
    }

    @Test
    void blocksOfAddressesAreTriedInsideAndOutside() {
        DiffResult result = diff(deny("cidr(destination, \"10.0.0.0/8\")"), deny("cidr(destination, \"10.0.0.0/9\")"));

        assertThat(result.widening()).isEqualTo(Widening.YES);
        assertThat(result.changes().get(0).example().at("/context/destination").asText())
                .startsWith("10.");
    }

    @Test
    void argumentsStandWhereTheResourceSays() {
        String before = ALLOW + rule("no", "resourceType == \"document\", amount > 5", "decision.deny(\"NO\");");

        DiffResult result = diff(before, ALLOW);

        assertThat(result.changes()).anySatisfy(change -> {
            assertThat(change.example().at("/resource/type").asText()).isEqualTo("document");
            assertThat(change.example().at("/action/properties/amount").doubleValue())
                    .isGreaterThan(5);
        });
    }

    @Test
    void whoTheUserIsIsAskedOfTheSubjectAndOfItsOwner() {
        DiffResult result = diff(deny("user == \"u-1\""), deny("user in (\"u-1\", \"u-2\")"));

        assertThat(result.exact()).as(result.whyNotExact()).isTrue();
        assertThat(result.widening()).isEqualTo(Widening.NO);
        assertThat(result.changes())
                .filteredOn(change -> change.kind() == Change.Kind.OUTCOME)
                .singleElement()
                .satisfies(change -> {
                    assertThat(outcomes(change)).containsExactly(Outcome.ALLOW, Outcome.DENY);
                    assertThat(change.requests())
                            .as("a user itself, and the owner of an agent")
                            .isGreaterThan(1);
                });
    }

    @Test
    void whatIsTooLongOrTooFarAwayToBeTriedIsSaid() {
        assertThat(diff(deny("count(tags) > 3"), deny("count(tags) > 3, count(tags) < 100"))
                        .exact())
                .isFalse();
        assertThat(diff(deny("hoursSince(opened) > 24"), deny("hoursSince(opened) > 99999999"))
                        .exact())
                .isFalse();
    }
}
