package dev.countersign.server.separation;

import static dev.countersign.server.separation.Registry.NOW;
import static dev.countersign.server.separation.Registry.done;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.countersign.rules.pack.ApprovalTemplate.Stage;
import dev.countersign.server.separation.Ruling.May;
import dev.countersign.server.separation.Ruling.Reason;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Who is on the requester's side, and so does not review, whatever ties them. */
class SeparationTest extends Acme {
    @Test
    void aReviewerWhoAsksHimselfDoesNotReview() throws Exception {
        UUID ann = reviewer("Ann");
        UUID ben = reviewer("Ben");
        member("Ann", "approvers");
        member("Ben", "approvers");
        Panel panel = registry.panel(user("Ann", ann), ONE);
        assertThat(panel.rule(0, ann, List.of())).isEqualTo(no(Reason.REQUESTERS_SIDE));
        assertThat(panel.rule(0, ben, List.of())).isEqualTo(new May(null));
        assertThat(panel.eligible(0, List.of())).containsExactly(new Reviewer(ben, "Ben", null));
    }

    @Test
    void whoStartsABotDoesNotReviewWhatItAsks() throws Exception {
        UUID ann = reviewer("Ann");
        reviewer("Ben");
        Panel panel = registry.panel(agent("bot", ann), ONE);
        assertThat(panel.excluded()).containsExactly(ann);
        assertThat(panel.twoNeeded()).as("the submitter answers for it").isFalse();
    }

    @Test
    void anotherKeyOfTheSamePersonIsTheSamePerson() throws Exception {
        UUID ann = reviewer("Ann");
        registry.key(acme, ann, null, null, "approvals.approve", "decide");
        Panel panel = registry.panel(agent("bot", null), List.of(new Stage("only", 2, List.of())));
        assertThat(panel.eligible(0, List.of())).extracting(Reviewer::person).containsExactly(ann);
        assertThat(panel.possible(ONE)).isTrue();
        assertThat(panel.possible(List.of(new Stage("only", 2, List.of())))).isFalse();
        assertThat(panel.rule(0, ann, List.of(new Review(ann, null, 0)))).isEqualTo(no(Reason.VOTED_ALREADY));
    }

    @Test
    void theSubjectIsThePersonOfThatNameHoweverItIsSpelled() throws Exception {
        reviewer("Ann  Strauß");
        reviewer("Ben");
        assertThat(excluded(agent("ANN STRAUSS", null))).containsExactly("Ann  Strauß");
        assertThat(excluded(agent("ann\u00a0strauß ", null))).containsExactly("Ann  Strauß");
        assertThat(excluded(agent("ann\u200bstrauß", null)))
                .as("no valid name is nobody's")
                .isEmpty();
        assertThat(excluded(agent("a\0b", null, "c\0d"))).isEmpty();
    }

    @Test
    void theOwnerOfTheAgentDoesNotReviewNorTheOwnersOwner() throws Exception {
        reviewer("Ann");
        reviewer("Ben");
        reviewer("Cat");
        reviewer("Dan");
        owned("agent", "bot", "ANN");
        owned("user", "ann", "Ben");
        owned("agent", "Ben", "CAT");
        assertThat(excluded(agent("bot", null))).containsExactlyInAnyOrder("Ann", "Ben", "Cat");
        assertThat(registry.panel(agent("bot", null), ONE).twoNeeded()).isFalse();
    }

    @Test
    void thingsOfOtherTypesTieNobody() throws Exception {
        reviewer("Ann");
        registry.entity(acme, "document", "bot", "Ann", List.of(), List.of(), List.of("Ann"));
        assertThat(excluded(agent("bot", null))).isEmpty();
    }

    @Test
    void ownersOfAnOwnerWhoOwnsHimselfAreFound() throws Exception {
        reviewer("Ann");
        owned("agent", "bot", "other");
        owned("user", "other", "bot");
        owned("user", "Ann", "Ann");
        assertThat(excluded(agent("bot", null, "Ann"))).containsExactly("Ann");
    }

    @Test
    void allMembersOfAGroupThatOwnsTheAgentAreOwners() throws Exception {
        reviewer("Ann");
        reviewer("Ben");
        reviewer("Cat");
        owned("agent", "bot", "group:payments");
        member("Ann", "payments");
        member("ben", "payments");
        member("Cat", "people");
        assertThat(excluded(agent("bot", null))).containsExactlyInAnyOrder("Ann", "Ben");
    }

    @Test
    void allMembersOfAGroupThatAsksAreAsking() throws Exception {
        reviewer("Ann");
        reviewer("Ben");
        member("Ann", "payments");
        assertThat(excluded(user("group:payments", null))).containsExactly("Ann");
        assertThat(excluded(new Asking(acme, "group", "payments", "refund", null, List.of(), Set.of())))
                .containsExactly("Ann");
    }

    @Test
    void twoAreNeededWhereNobodyAnswersForAnAgent() throws Exception {
        UUID ann = reviewer("Ann");
        owned("agent", "deserted", "group:nobody");
        assertThat(registry.panel(agent("bot", null), ONE).twoNeeded()).isTrue();
        assertThat(registry.panel(agent("deserted", null), ONE).twoNeeded()).isTrue();
        assertThat(registry.panel(agent("bot", ann), ONE).twoNeeded()).isFalse();
        assertThat(registry.panel(user("bot", null), ONE).twoNeeded()).isFalse();
    }

    @Test
    void claimsOnlyAdd() throws Exception {
        reviewer("Ann");
        reviewer("Ben");
        reviewer("Cat");
        owned("agent", "bot", "Ann");
        assertThat(excluded(agent("bot", null, "ben", "nobody", "\u200b"))).containsExactlyInAnyOrder("Ann", "Ben");
    }

    @Test
    void whoWasExcludedOnceStaysExcludedAndTiesNobodyElse() throws Exception {
        UUID ann = reviewer("Ann");
        UUID ben = reviewer("Ben");
        reviewer("Cat");
        delegates("user", "Ann", "Ben");
        delegates("user", "Cat", "Ben");
        Set<UUID> first = registry.panel(user("Ann", ann), ONE).excluded();
        assertThat(first).containsExactlyInAnyOrder(ann, ben);
        var again = new Asking(acme, "user", "Ann", "refund", ann, List.of(), first);
        assertThat(registry.panel(again, ONE).excluded()).isEqualTo(first);
        var moved = new Asking(acme, "user", "somebody else", "refund", null, List.of(), first);
        assertThat(registry.panel(moved, ONE).excluded()).isEqualTo(first);
    }

    @Test
    void delegatesOfTheRequesterDoNotReviewNorTheirDelegates() throws Exception {
        reviewer("Ann");
        reviewer("Ben");
        reviewer("Cat");
        reviewer("Dan");
        delegates("user", "Ann", "Ben");
        delegates("user", "BEN", "cat");
        delegates("user", "Dan", "cat");
        assertThat(excluded(user("ann", null)))
                .as("not up again from a delegate")
                .containsExactlyInAnyOrder("Ann", "Ben", "Cat");
    }

    @Test
    void thoseWhoseDelegateTheRequesterIsDoNotReview() throws Exception {
        reviewer("Ann");
        reviewer("Ben");
        reviewer("Cat");
        reviewer("Dan");
        delegates("user", "ben", "x", "ANN");
        delegates("user", "Cat", "Ben", "Dan");
        assertThat(excluded(user("Ann", null)))
                .as("not down again from a principal")
                .containsExactlyInAnyOrder("Ann", "Ben", "Cat");
    }

    @Test
    void delegatesOfTheAgentAndOfItsOwnerDoNotReview() throws Exception {
        reviewer("Ann");
        reviewer("Ben");
        reviewer("Cat");
        registry.entity(acme, "agent", "bot", "Ann", List.of(), List.of(), List.of("Ben"));
        delegates("user", "Ann", "other bot");
        delegates("agent", "other bot", "Cat");
        assertThat(excluded(agent("bot", null))).containsExactlyInAnyOrder("Ann", "Ben", "Cat");
    }

    @Test
    void delegationsTieWhateverTheirTimeUntilTheyAreRevoked() throws Exception {
        UUID ann = reviewer("Ann");
        UUID ben = reviewer("Ben");
        UUID cat = reviewer("Cat");
        Delegation later = registry.delegation(acme, ann, ben, NOW.plus(DAY), NOW.plus(DAY.multipliedBy(2)), null);
        registry.delegation(acme, cat, ann, NOW.minus(DAY), NOW.plus(DAY), "nothing like it");
        assertThat(excluded(user("Ann", null))).containsExactlyInAnyOrder("Ann", "Ben", "Cat");
        Delegation revoked = done(registry.pool()
                .withTransaction(connection -> DelegationStore.revoke(connection, acme, later.id(), NOW, "k")));
        assertThat(revoked.revokedBy()).isEqualTo("k");
        assertThat(excluded(user("Ann", null))).containsExactlyInAnyOrder("Ann", "Cat");
    }

    @Test
    void aSideThatIsTooLargeToBeToldLetsNobodyReview() throws Exception {
        String[] many = IntStream.range(0, 1_000).mapToObj(i -> "u" + i).toArray(String[]::new);
        delegates("user", "Ann", many);
        assertThatThrownBy(() -> excluded(user("Ann", null)))
                .hasCauseInstanceOf(TangledSideException.class)
                .hasMessageContaining("more than 1000 names");
        for (int i = 0; i < 12; i++) {
            delegates("agent", "a" + i, "a" + (i + 1));
        }
        assertThat(excluded(agent("a3", null))).isEmpty();
        assertThatThrownBy(() -> excluded(agent("a0", null)))
                .hasCauseInstanceOf(TangledSideException.class)
                .hasMessageContaining("chain of more than 10 links");
    }
}
