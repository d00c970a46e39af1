package dev.countersign.server.separation;

import static dev.countersign.server.separation.Registry.NOW;
import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.pack.ApprovalTemplate.Stage;
import dev.countersign.server.separation.Ruling.May;
import dev.countersign.server.separation.Ruling.Reason;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Places on one request that go from hand to hand. */
class HandingOnTest extends Acme {
    private static final List<Stage> TREASURY = List.of(new Stage("only", 1, List.of("treasurer")));

    private UUID ann;
    private UUID ben;
    private UUID cat;

    @BeforeEach
    void persons() throws Exception {
        ann = reviewer("Ann");
        ben = reviewer("Ben");
        cat = reviewer("Cat");
        roles("Ann", List.of("treasurer"));
    }

    private Panel panel(Asking asking) throws Exception {
        return registry.panel(asking, TREASURY);
    }

    @Test
    void whoHandsOnReviewsNoMoreAndTheOtherDoesInThatPlace() throws Exception {
        Panel panel = panel(agent("bot", null)).handing(Map.of(ann, ben));
        assertThat(panel.rule(0, ann, List.of())).isEqualTo(no(Reason.HANDED_ON));
        assertThat(panel.rule(0, ben, List.of())).isEqualTo(new May(ann));
        assertThat(panel.rule(0, cat, List.of())).isEqualTo(lacks("treasurer"));
        assertThat(panel.eligible(0, List.of())).containsExactly(new Reviewer(ben, "Ben", ann));
        assertThat(panel.possible(List.of(new Stage("only", 2, List.of("treasurer")))))
                .as("two treasurers are not one who holds two places")
                .isFalse();
    }

    @Test
    void aPlaceGoesOnFromHandToHand() throws Exception {
        Panel first = panel(agent("bot", null)).handing(Map.of(ann, ben));
        assertThat(first.hands(0, ben, List.of())).isEqualTo(new May(null));
        assertThat(first.hands(0, ann, List.of())).isEqualTo(no(Reason.HANDED_ON));
        assertThat(first.takes(ann, List.of())).isEqualTo(no(Reason.HANDED_ON));
        Panel second = first.handing(Map.of(ben, cat));
        assertThat(second.rule(0, ben, List.of())).isEqualTo(no(Reason.HANDED_ON));
        assertThat(second.rule(0, cat, List.of())).isEqualTo(new May(ann));
    }

    @Test
    void aPlaceByDelegationIsNotTheDelegatesToHandOn() throws Exception {
        registry.delegation(acme, ann, ben, NOW, NOW.plus(DAY), null);
        Panel panel = panel(agent("bot", null));
        assertThat(panel.rule(0, ben, List.of())).isEqualTo(new May(ann));
        assertThat(panel.hands(0, ben, List.of())).isEqualTo(lacks("treasurer"));
        assertThat(panel.handing(Map.of(ann, cat)).rule(0, ben, List.of()))
                .as("and ends when the place goes to another")
                .isEqualTo(lacks("treasurer"));
    }

    @Test
    void whoHasVotedHandsNothingOnAndTakesNothing() throws Exception {
        Panel panel = panel(agent("bot", null));
        var given = List.of(new Review(cat, ann, 0));
        assertThat(panel.hands(0, ann, given)).isEqualTo(no(Reason.VOTED_ALREADY));
        assertThat(panel.takes(cat, given)).isEqualTo(no(Reason.VOTED_ALREADY));
    }

    @Test
    void onlyAPlaceInTheStageAtHandOrALaterOneIsHandedOn() throws Exception {
        var stages = List.of(new Stage("first", 1, List.of()), new Stage("second", 1, List.of("treasurer")));
        Panel panel = registry.panel(agent("bot", null), stages);
        assertThat(panel.hands(1, ann, List.of())).isEqualTo(new May(null));
        assertThat(panel.hands(0, ben, List.of())).isEqualTo(new May(null));
        assertThat(panel.hands(1, ben, List.of())).isEqualTo(lacks("treasurer"));
    }

    @Test
    void ifOneOfTheTwoIsOnTheRequestersSideSoIsTheOther() throws Exception {
        Panel giver = panel(user("Ann", ann)).handing(Map.of(ann, ben, ben, cat));
        assertThat(giver.excluded()).containsExactlyInAnyOrder(ann, ben, cat);
        Panel taker = panel(user("Cat", cat)).handing(Map.of(ann, ben, ben, cat));
        assertThat(taker.excluded()).containsExactlyInAnyOrder(ann, ben, cat);
        assertThat(taker.rule(0, ben, List.of())).isEqualTo(no(Reason.REQUESTERS_SIDE));
        Panel between = panel(user("Ben", ben)).handing(Map.of(ann, ben, cat, ben));
        assertThat(between.excluded()).containsExactlyInAnyOrder(ann, ben, cat);
    }

    @Test
    void aPlaceIsWorthNothingOnceWhoseItWasMayNotReview() throws Exception {
        UUID dan = person("Dan");
        roles("Dan", List.of("treasurer"));
        Panel panel = panel(agent("bot", null)).handing(Map.of(dan, ben));
        assertThat(panel.rule(0, ben, List.of())).isEqualTo(lacks("treasurer"));
        Panel circle = panel(agent("bot", null)).handing(Map.of(ann, ben, ben, ann));
        assertThat(circle.eligible(0, List.of())).isEmpty();
    }
}
