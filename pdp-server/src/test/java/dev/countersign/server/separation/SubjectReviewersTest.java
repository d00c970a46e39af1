package dev.countersign.server.separation;

import static dev.countersign.server.separation.Registry.NOW;
import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.pack.ApprovalTemplate.Stage;
import dev.countersign.server.separation.Ruling.May;
import dev.countersign.server.separation.Ruling.Reason;
import java.time.ZoneOffset;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Who reviews by the tokens of an issuer, with a key beside them or without. */
class SubjectReviewersTest extends Acme {
    private static final List<Stage> TWO = List.of(new Stage("only", 2, List.of()));

    private UUID issuer;

    @BeforeEach
    void register() throws Exception {
        issuer = registry.id();
        registry.execute(
                "insert into issuers (id, tenant, issuer, audience, jwks_uri, algorithms, roles_claim, role_map, created_at,"
                        + " created_by) values ($1, $2, 'i', $2, 'https://i.example', '{ES256}', 'r', '{}', $3, 'test')",
                issuer,
                acme,
                NOW.atOffset(ZoneOffset.UTC));
    }

    private void subject(String sub, UUID person, boolean approves) throws Exception {
        registry.execute(
                "insert into issuer_subjects (tenant, issuer, sub, person_id, approves, as_person, as_service, updated_at,"
                        + " updated_by) values ($1, $2, $3, $4, $5, 'p', 's', $6, 'test')",
                acme,
                issuer,
                sub,
                person,
                approves,
                NOW.atOffset(ZoneOffset.UTC));
    }

    private List<UUID> eligible() throws Exception {
        return registry.panel(agent("bot", null), ONE).eligible(0, List.of()).stream()
                .map(Reviewer::person)
                .toList();
    }

    @Test
    void aPersonOfWhoseSubjectItIsSaidReviewsWithoutAKey() throws Exception {
        UUID ann = person("Ann");
        UUID ben = person("Ben");
        subject("ann", ann, true);
        subject("ben", ben, false);
        assertThat(eligible()).containsExactly(ann);
        assertThat(registry.panel(agent("bot", null), ONE).rule(0, ann, List.of()))
                .isEqualTo(new May(null));
        assertThat(registry.panel(agent("bot", null), ONE).rule(0, ben, List.of()))
                .isEqualTo(no(Reason.NOT_A_REVIEWER));
    }

    @Test
    void aPersonWithAKeyAndSubjectsIsOneReviewer() throws Exception {
        UUID ann = reviewer("Ann");
        subject("ann", ann, true);
        subject("ann-2", ann, true);
        Panel panel = registry.panel(agent("bot", null), TWO);
        assertThat(eligible()).containsExactly(ann);
        assertThat(panel.possible(TWO)).isFalse();
        assertThat(panel.rule(0, ann, List.of(new Review(ann, null, 0)))).isEqualTo(no(Reason.VOTED_ALREADY));
    }

    @Test
    void rolesOfKeysStandBesideWhatTheSubjectMay() throws Exception {
        UUID ann = person("Ann");
        registry.key(acme, ann, null, null, "audit.read");
        subject("ann", ann, true);
        Panel panel = registry.panel(agent("bot", null), List.of(new Stage("only", 1, List.of("audit.read"))));
        assertThat(panel.rule(0, ann, List.of())).isEqualTo(new May(null));
    }

    @Test
    void whoseIssuerIsDisabledReviewsNoMore() throws Exception {
        subject("ann", person("Ann"), true);
        registry.execute(
                "update issuers set disabled_at = $2, disabled_by = 'test' where id = $1",
                issuer,
                NOW.atOffset(ZoneOffset.UTC));
        assertThat(eligible()).isEmpty();
    }

    @Test
    void noSubjectIsAReviewerOfAnotherTenant() throws Exception {
        subject("ann", person("Ann"), true);
        acme = "acme" + registry.id();
        registry.tenant(acme);
        assertThat(eligible()).isEmpty();
    }

    @Test
    void whoAsksDoesNotReviewByToken() throws Exception {
        UUID ann = person("Ann");
        subject("ann", ann, true);
        assertThat(registry.panel(user("Ann", ann), ONE).rule(0, ann, List.of()))
                .isEqualTo(no(Reason.REQUESTERS_SIDE));
    }
}
