package dev.countersign.server.separation;

import static dev.countersign.server.separation.Registry.NOW;
import static dev.countersign.server.separation.Registry.done;
import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.pack.ApprovalTemplate.Stage;
import dev.countersign.server.separation.Ruling.May;
import dev.countersign.server.separation.Ruling.Reason;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Who of the others may vote, and what a vote spends. */
class SeparationVotesTest extends Acme {
    @Test
    void onlyAGoodKeyThatMayApproveMakesAReviewer() throws Exception {
        UUID none = person("None");
        UUID expired = person("Expired");
        registry.key(acme, expired, NOW, null, "approvals.approve");
        UUID revoked = person("Revoked");
        registry.key(acme, revoked, null, NOW.minus(DAY), "approvals.approve");
        UUID reads = person("Reads");
        registry.key(acme, reads, null, null, "approvals.read");
        UUID mixed = person("Mixed");
        registry.key(acme, mixed, NOW, null, "approvals.approve");
        registry.key(acme, mixed, null, null, "approvals.read");
        UUID good = person("Good");
        registry.key(acme, good, NOW.plusSeconds(1), null, "approvals.approve");
        Panel panel = registry.panel(agent("bot", null), ONE);
        for (UUID person : List.of(none, expired, revoked, reads, mixed, new UUID(9, 9))) {
            assertThat(panel.rule(0, person, List.of())).isEqualTo(no(Reason.NOT_A_REVIEWER));
        }
        assertThat(panel.rule(0, good, List.of())).isEqualTo(new May(null));
        registry.execute("update tenants set suspended_at = now() where id = $1", acme);
        assertThat(registry.panel(agent("bot", null), ONE).rule(0, good, List.of()))
                .isEqualTo(no(Reason.NOT_A_REVIEWER));
    }

    @Test
    void allRolesOfTheStageAreNeededTogether() throws Exception {
        UUID ann = reviewer("Ann");
        registry.key(acme, ann, null, null, "audit.read");
        registry.key(acme, ann, NOW, null, "policy.publish");
        UUID ben = reviewer("Ben");
        roles("Ann", List.of("treasurer", "admin"));
        roles("ben", List.of("treasurer", "auditor"));
        assertThat(ruling(ann, "audit.read", "treasurer")).isEqualTo(new May(null));
        assertThat(ruling(ann, "treasurer", "auditor")).isEqualTo(lacks("auditor"));
        assertThat(ruling(ann, "policy.publish"))
                .as("an expired key gives no role")
                .isEqualTo(lacks("policy.publish"));
        assertThat(ruling(ann, "admin")).as("no entity has a key's role").isEqualTo(lacks("admin"));
        assertThat(ruling(ben, "treasurer")).as("roles go by the exact name").isEqualTo(lacks("treasurer"));
    }

    private Ruling ruling(UUID person, String... roles) throws Exception {
        return registry.panel(agent("bot", null), List.of(new Stage("only", 1, List.of(roles))))
                .rule(0, person, List.of());
    }

    @Test
    void aPersonInTwoRolesFillsOnePlaceAndTheRarerOne() throws Exception {
        UUID both = reviewer("Both");
        UUID business = reviewer("Business");
        roles("Both", List.of("business", "risk"));
        roles("Business", List.of("business"));
        var stages = List.of(new Stage("first", 1, List.of("business")), new Stage("second", 1, List.of("risk")));
        Panel panel = registry.panel(agent("bot", null), stages);
        assertThat(panel.possible(stages)).isTrue();
        assertThat(panel.rule(0, both, List.of())).isEqualTo(no(Reason.NEEDED_LATER));
        assertThat(panel.eligible(0, List.of())).extracting(Reviewer::name).containsExactly("Business");
        var given = List.of(new Review(business, null, 0));
        assertThat(panel.rule(1, both, given)).isEqualTo(new May(null));
        assertThat(panel.rule(1, business, given)).isEqualTo(no(Reason.VOTED_ALREADY));
        assertThat(panel.rule(1, both, List.of(new Review(both, null, 0)))).isEqualTo(no(Reason.VOTED_ALREADY));
        Panel more = panel.over(List.of(stages.get(0), new Stage("second", 2, List.of("risk"))));
        assertThat(more.possible(stages)).isTrue();
        assertThat(more.rule(0, both, List.of()))
                .as("what cannot be completed anyway waits for nobody")
                .isEqualTo(new May(null));
    }

    @Test
    void aVoteInAnothersPlaceTakesThePlacesOfBoth() throws Exception {
        UUID ann = reviewer("Ann");
        UUID ben = reviewer("Ben");
        roles("Ann", List.of("treasurer"));
        registry.delegation(acme, ann, ben, NOW, NOW.plus(DAY), "ref*");
        Panel panel = registry.panel(agent("bot", null), List.of(new Stage("only", 1, List.of("treasurer"))));
        assertThat(panel.rule(0, ben, List.of())).isEqualTo(new May(ann));
        assertThat(panel.eligible(0, List.of()))
                .containsExactly(new Reviewer(ann, "Ann", null), new Reviewer(ben, "Ben", ann));
        var delegated = List.of(new Review(ben, ann, 0));
        assertThat(panel.rule(0, ann, delegated)).isEqualTo(no(Reason.VOTED_ALREADY));
        assertThat(panel.rule(0, ben, delegated)).isEqualTo(no(Reason.VOTED_ALREADY));
        assertThat(panel.rule(0, ben, List.of(new Review(ann, null, 0)))).isEqualTo(lacks("treasurer"));
        assertThat(panel.possible(List.of(new Stage("only", 2, List.of("treasurer")))))
                .as("a delegate is no second treasurer")
                .isFalse();
    }

    @Test
    void aVoteInAnothersPlaceNeedsADelegationInForce() throws Exception {
        UUID ann = reviewer("Ann");
        UUID ben = reviewer("Ben");
        roles("Ann", List.of("treasurer"));
        registry.delegation(acme, ann, ben, NOW, NOW.plus(DAY), "pay");
        registry.delegation(acme, ann, ben, NOW.plusSeconds(1), NOW.plus(DAY), null);
        registry.delegation(acme, ann, ben, NOW.minus(DAY), NOW, null);
        assertThat(ruling(ben, "treasurer")).isEqualTo(lacks("treasurer"));
        Delegation good = registry.delegation(acme, ann, ben, NOW, NOW.plusSeconds(1), null);
        assertThat(ruling(ben, "treasurer")).isEqualTo(new May(ann));
        done(registry.pool()
                .withTransaction(connection -> DelegationStore.revoke(connection, acme, good.id(), NOW, "k")));
        assertThat(ruling(ben, "treasurer")).isEqualTo(lacks("treasurer"));
    }

    @Test
    void nobodyVotesInThePlaceOfTheRequestersSideOrOfOneWhoMayNotApprove() throws Exception {
        UUID ann = reviewer("Ann");
        UUID ben = reviewer("Ben");
        UUID left = person("Left");
        roles("Ann", List.of("treasurer"));
        roles("Left", List.of("treasurer"));
        registry.delegation(acme, left, ben, NOW, NOW.plus(DAY), null);
        assertThat(ruling(ben, "treasurer")).isEqualTo(lacks("treasurer"));
        registry.delegation(acme, ann, ben, NOW, NOW.plus(DAY), null);
        Panel panel = registry.panel(agent("bot", null, "Ann"), List.of(new Stage("only", 1, List.of("treasurer"))));
        assertThat(panel.rule(0, ben, List.of()))
                .as("a delegate of the requester's")
                .isEqualTo(no(Reason.REQUESTERS_SIDE));
        UUID reads = person("Reads");
        registry.key(acme, reads, null, null, "approvals.read");
        registry.delegation(acme, ann, reads, NOW, NOW.plus(DAY), null);
        assertThat(ruling(reads, "treasurer")).isEqualTo(no(Reason.NOT_A_REVIEWER));
    }

    @Test
    void tenantsDoNotMeet() throws Exception {
        registry.tenant(acme + "-other");
        UUID ann = reviewer("Ann");
        UUID foreign = registry.person(acme + "-other", "Ann");
        registry.key(acme + "-other", foreign, null, null, "approvals.approve");
        registry.entity(acme + "-other", "agent", "bot", "Ann", List.of(), List.of(), List.of("Ann"));
        Panel panel = registry.panel(agent("bot", null), ONE);
        assertThat(panel.excluded()).isEmpty();
        assertThat(panel.twoNeeded()).isTrue();
        assertThat(panel.rule(0, foreign, List.of())).isEqualTo(no(Reason.NOT_A_REVIEWER));
        assertThat(panel.rule(0, ann, List.of())).isEqualTo(new May(null));
    }
}
