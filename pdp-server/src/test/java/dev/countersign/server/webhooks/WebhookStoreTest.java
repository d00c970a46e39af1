package dev.countersign.server.webhooks;

import static dev.countersign.server.webhooks.WebhookWorld.all;
import static dev.countersign.server.webhooks.WebhookWorld.done;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.countersign.server.live.KeyEndedException;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import dev.countersign.server.postgres.Sql;
import dev.countersign.server.webhooks.WebhookTerms.Format;
import io.vertx.core.Future;
import java.net.URI;
import java.util.List;
import java.util.UUID;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a tenant has of webhooks is its own, and what signs is shown once. */
@ExtendWith(PostgresExtension.class)
class WebhookStoreTest {
    private static final WebhookTerms TERMS =
            new WebhookTerms(URI.create("https://receiver.example:8443/hooks?x=1"), Format.STANDARD, List.of("*"));

    private WebhookWorld world;
    private PostgresAddress database;

    @BeforeEach
    void start(PostgresAddress address) throws Exception {
        database = address;
        world = new WebhookWorld(database);
    }

    @AfterEach
    void stop() {
        world.close();
    }

    @Test
    void aSecretIsOf256RandomBitsAndIsNeverShownAgain() {
        WebhookStore.Made one = done(world.store.create("acme", TERMS, "cs_1"));
        WebhookStore.Made two = done(world.store.create("acme", TERMS, "cs_1"));
        assertThat(one.secret()).matches("whsec_[A-Za-z0-9+/]{43}=").isNotEqualTo(two.secret());
        assertThat(one.toString()).doesNotContain("whsec_");
        assertThat(done(world.store.list("acme")).toString()).doesNotContain("whsec_");
    }

    @Test
    void aWebhookIsShownWithoutWhatMayBeSecretInItsUrl() {
        WebhookStore.Made standard = done(world.store.create("acme", TERMS, "cs_1"));
        var slackTerms = new WebhookTerms(
                URI.create("https://hooks.slack.example/services/T/B/secret"), Format.SLACK, List.of("approval.*"));
        WebhookStore.Made slack = done(world.store.create("acme", slackTerms, "cs_1"));
        assertThat(done(world.store.find("acme", standard.id())))
                .returns("https://receiver.example:8443/hooks", Webhook::shownUrl)
                .returns(WebhookWorld.START, Webhook::createdAt)
                .returns("cs_1", Webhook::createdBy);
        assertThat(done(world.store.find("acme", slack.id())))
                .returns("https://hooks.slack.example/...", Webhook::shownUrl)
                .returns(List.of("approval.*"), Webhook::eventTypes);
    }

    @Test
    void anotherTenantFindsChangesAndDeletesNothing() throws Exception {
        WebhookStore.Made made = done(world.store.create("acme", TERMS, "cs_1"));
        UUID id = made.id();
        Webhook before = done(world.store.find("acme", id));
        assertThat(done(world.store.list("other"))).isEmpty();
        assertThat(done(world.store.find("other", id))).isNull();
        assertThat(done(world.store.change("other", id, TERMS, "cs_1"))).isNull();
        assertThat(done(world.store.rotate("other", id, "cs_1"))).isNull();
        assertThat(done(world.store.disable("other", id, "cs_2"))).isNull();
        assertThat(done(world.store.enable("other", id, "cs_1"))).isNull();
        assertThat(done(world.store.delete("other", id, "cs_1"))).isNull();
        world.happen("acme", "policy.denied");
        done(world.queue().enqueue(world.now.get()));
        assertThat(done(world.store.deliveries("other", id, null, Long.MAX_VALUE, 10)))
                .isEmpty();
        assertThat(done(world.store.replay("other", id, WebhookWorld.START, "cs_1")))
                .isZero();
        assertThat(done(world.store.find("acme", id))).isEqualTo(before);
        assertThat(world.deliveries(id)).hasSize(1);
    }

    @Test
    void aWebhookIsChangedDisabledEnabledAndDeletedWithItsDeliveries() throws Exception {
        UUID id = done(world.store.create("acme", TERMS, "cs_1")).id();
        var other = new WebhookTerms(URI.create("https://other.example/"), Format.SLACK, List.of("policy.denied"));
        assertThat(done(world.store.change("acme", id, other, "cs_1")))
                .returns("https://other.example/...", Webhook::shownUrl)
                .returns(List.of("policy.denied"), Webhook::eventTypes);
        assertThat(done(world.store.disable("acme", id, "cs_2"))).returns("cs_2", Webhook::disabledBy);
        assertThat(done(world.store.disable("acme", id, "cs_3"))).returns("cs_2", Webhook::disabledBy);
        assertThat(done(world.store.enable("acme", id, "cs_1"))).returns(null, Webhook::disabledBy);
        world.happen("acme", "policy.denied");
        done(world.queue().enqueue(world.now.get()));
        assertThat(done(world.store.delete("acme", id, "cs_1"))).returns(id, Webhook::id);
        assertThat(done(world.store.delete("acme", id, "cs_1"))).isNull();
        assertThat(world.deliveries(id)).isEmpty();
        all(world.server());
    }

    @Test
    void nothingIsChangedByAKeyThatHasEndedMeanwhile() throws Exception {
        UUID id = done(world.store.create("acme", TERMS, "cs_1")).id();
        world.happen("acme", "policy.denied");
        done(world.queue().enqueue(world.now.get()));
        Webhook before = done(world.store.find("acme", id));
        long event = world.deliveries(id).get(0).event();
        Sql.execute(database, "update api_keys set revoked_at = now(), revoked_by = 'cs_2' where id = 'cs_1'");
        List<Supplier<Future<?>>> changes = List.of(
                () -> world.store.create("acme", TERMS, "cs_1"),
                () -> world.store.change("acme", id, TERMS, "cs_1"),
                () -> world.store.rotate("acme", id, "cs_1"),
                () -> world.store.disable("acme", id, "cs_1"),
                () -> world.store.enable("acme", id, "cs_1"),
                () -> world.store.replay("acme", id, event, "cs_1"),
                () -> world.store.replay("acme", id, WebhookWorld.START, "cs_1"),
                () -> world.store.delete("acme", id, "cs_1"));
        for (Supplier<Future<?>> change : changes) {
            assertThatThrownBy(() -> done(change.get())).hasRootCauseInstanceOf(KeyEndedException.class);
        }
        assertThat(done(world.store.list("acme"))).containsExactly(before);
        assertThat(world.deliveries(id)).hasSize(1);
    }

    @Test
    void aWebhookIsDeletedThoughItHasMoreDeliveriesThanOneStepTakes() throws Exception {
        UUID id = done(world.store.create("acme", TERMS, "cs_1")).id();
        world.past(id, 2 * Steps.ROWS + 1, "delivered");
        assertThat(done(world.store.delete("acme", id, "cs_1"))).returns(id, Webhook::id);
        assertThat(Sql.query(database, "select count(*) from webhook_deliveries"))
                .isEqualTo("0");
    }

    @Test
    void allIsDeliveredAgainThoughItIsMoreThanOneStepTakes() throws Exception {
        UUID id = done(world.store.create("acme", TERMS, "cs_1")).id();
        world.past(id, 2 * Steps.ROWS, "dead");
        assertThat(done(world.store.replay("acme", id, WebhookWorld.START, "cs_1")))
                .isEqualTo(2 * Steps.ROWS);
        assertThat(done(world.store.replay("acme", id, WebhookWorld.START, "cs_1")))
                .isZero();
        assertThat(Sql.query(database, "select count(*) from webhook_deliveries where status = 'waiting'"))
                .isEqualTo(String.valueOf(2 * Steps.ROWS));
    }

    @Test
    void aTenantHasABoundedNumberOfThem() {
        for (int i = 0; i < WebhookStore.MAX_OF_TENANT; i++) {
            assertThat(done(world.store.create("acme", TERMS, "cs_1"))).isNotNull();
        }
        assertThat(done(world.store.create("acme", TERMS, "cs_1"))).isNull();
        assertThat(done(world.store.create("other", TERMS, "cs_1"))).isNotNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Policy.denied", "policy.", ".*", "policy*", "*.denied", "policy.%", "a b"})
    void aTypeThatNoEventCanHaveIsRefused(String type) {
        assertThatThrownBy(() -> new WebhookTerms(TERMS.url(), Format.STANDARD, List.of(type)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("`" + type + "`");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/hooks", "ftp://receiver.example/", "https:///hooks", "mailto:a@receiver.example"})
    void aUrlThatCannotBeCalledIsRefused(String url) {
        assertThatThrownBy(() -> new WebhookTerms(URI.create(url), Format.STANDARD, List.of("*")))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
