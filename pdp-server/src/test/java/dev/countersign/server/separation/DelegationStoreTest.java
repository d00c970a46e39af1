package dev.countersign.server.separation;

import static dev.countersign.server.separation.Registry.NOW;
import static dev.countersign.server.separation.Registry.done;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.countersign.server.separation.DelegationStore.Created;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Delegations are a tenant's, between two of its persons, and revoked once. */
class DelegationStoreTest extends Acme {
    private Delegation made(UUID from, UUID to) {
        return Delegation.made(acme, registry.id(), from, to, NOW, NOW.plus(DAY), null, NOW, "k");
    }

    private Created create(Delegation delegation) throws Exception {
        return done(registry.pool().withTransaction(connection -> DelegationStore.create(connection, delegation)));
    }

    private Delegation revoke(String tenant, UUID id, String by) throws Exception {
        return done(
                registry.pool().withTransaction(connection -> DelegationStore.revoke(connection, tenant, id, NOW, by)));
    }

    @Test
    void theyAreListedForATenantAndForAPersonOnEitherSide() throws Exception {
        UUID ann = person("Ann");
        UUID ben = person("Ben");
        UUID cat = person("Cat");
        Delegation one = made(ann, ben);
        Delegation two = made(ben, cat);
        assertThat(create(one)).isEqualTo(Created.DONE);
        assertThat(create(two)).isEqualTo(Created.DONE);
        var store = new DelegationStore(registry.pool());
        assertThat(done(store.list(acme, null, null, 10))).containsExactly(one, two);
        assertThat(done(store.list(acme, null, one.id(), 10))).containsExactly(two);
        assertThat(done(store.list(acme, null, null, 1))).containsExactly(one);
        assertThat(done(store.list(acme, ben, null, 10))).containsExactly(one, two);
        assertThat(done(store.list(acme, ann, null, 10))).containsExactly(one);
        assertThat(done(store.list("another", ann, null, 10))).isEmpty();
    }

    @Test
    void bothArePersonsOfTheTenant() throws Exception {
        String other = acme + "-other";
        registry.tenant(other);
        UUID ann = person("Ann");
        UUID foreign = registry.person(other, "Ben");
        assertThat(create(made(ann, foreign))).isEqualTo(Created.UNKNOWN_PERSON);
        assertThat(create(made(foreign, ann))).isEqualTo(Created.UNKNOWN_PERSON);
        assertThat(create(made(ann, registry.id()))).isEqualTo(Created.UNKNOWN_PERSON);
    }

    @Test
    void whatCouldNeverBeInForceIsNoDelegation() throws Exception {
        UUID ann = person("Ann");
        UUID ben = person("Ben");
        assertThatThrownBy(() -> made(ann, ann)).hasMessageContaining("two persons");
        assertThatThrownBy(() -> Delegation.made(acme, ann, ann, ben, NOW, NOW, null, NOW, "k"))
                .hasMessageContaining("ends after it begins");
        assertThatThrownBy(() -> Delegation.made(acme, ann, ann, ben, NOW, NOW.plus(DAY), "", NOW, "k"))
                .hasMessageContaining("1 to 200 characters");
    }

    @Test
    void oneIsRevokedOnceAndInItsTenantAlone() throws Exception {
        Delegation delegation = made(person("Ann"), person("Ben"));
        create(delegation);
        assertThat(revoke("another", delegation.id(), "x")).isNull();
        assertThat(revoke(acme, registry.id(), "x")).isNull();
        assertThat(revoke(acme, delegation.id(), "first").revokedBy()).isEqualTo("first");
        assertThat(revoke(acme, delegation.id(), "second").revokedBy()).isEqualTo("first");
    }

    @Test
    void aTenantHasNoMoreThanTheBound() throws Exception {
        Delegation one = made(person("Ann"), person("Ben"));
        create(one);
        registry.execute(
                "insert into delegations (tenant, id, from_person, to_person, valid_from, valid_until, created_at, created_by)"
                        + " select d.tenant, gen_random_uuid(), d.from_person, d.to_person, d.valid_from, d.valid_until,"
                        + " d.created_at, d.created_by from delegations d, generate_series(2, $2) where d.tenant = $1",
                acme,
                DelegationStore.MAX_OPEN);
        Delegation more = made(one.from(), one.to());
        assertThat(create(more)).isEqualTo(Created.FULL);
        revoke(acme, one.id(), "k");
        assertThat(create(more)).isEqualTo(Created.DONE);
    }

    @Test
    void theServerChangesNothingOfThemButTheirRevocation() throws Exception {
        create(made(person("Ann"), person("Ben")));
        for (String change : new String[] {
            "update delegations set valid_until = valid_until + interval '1 day' where tenant = $1",
            "update delegations set to_person = from_person where tenant = $1",
            "delete from delegations where tenant = $1"
        }) {
            assertThatThrownBy(() -> registry.execute(change, acme)).hasMessageContaining("permission denied");
        }
    }
}
