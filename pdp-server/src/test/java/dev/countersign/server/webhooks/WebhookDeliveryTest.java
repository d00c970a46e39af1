package dev.countersign.server.webhooks;

import static dev.countersign.server.webhooks.WebhookWorld.all;
import static dev.countersign.server.webhooks.WebhookWorld.done;
import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.server.http.RunningServer;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import dev.countersign.server.postgres.Sql;
import dev.countersign.server.webhooks.Delivery.Status;
import dev.countersign.server.webhooks.Receiver.Say;
import io.vertx.core.Future;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A receiver is told of every event that it wants, signed, until it has it, and of nothing else. */
@ExtendWith(PostgresExtension.class)
class WebhookDeliveryTest {
    private static final Duration DAY_AND_MORE = Duration.ofHours(30);

    private PostgresAddress owner;
    private WebhookWorld world;
    private Receiver receiver;
    private Deliveries server;

    @BeforeEach
    void start(PostgresAddress database, @AsOwner PostgresAddress asOwner) throws Exception {
        owner = asOwner;
        world = new WebhookWorld(database);
        receiver = new Receiver();
        server = world.server(receiver);
    }

    @AfterEach
    void stop() {
        receiver.close();
        world.close();
    }

    @Test
    void anEventArrivesAsItIsWithASignatureThatItsReceiverCanVerify() throws Exception {
        WebhookStore.Made made = world.webhook(receiver, "policy.denied");
        UUID event = world.happen("acme", "policy.denied");
        all(server);
        Receiver.Got got = receiver.got.element();
        assertThat(receiver.got).hasSize(1);
        assertThat(got.id()).isEqualTo(event.toString());
        assertThat(got.headers())
                .containsEntry("webhook-timestamp", Long.toString(WebhookWorld.START.getEpochSecond()))
                .containsEntry("content-type", "application/cloudevents+json");
        assertThat(got.body()).isEqualTo("{\"id\":\"" + event + "\",\"text\":\"grüße\"}");
        assertThat(got.signedWith(made.secret())).isTrue();
        assertThat(got.signedWith("whsec_AAAA")).isFalse();
        assertThat(world.deliveries(made.id()))
                .singleElement()
                .returns(Status.DELIVERED, Delivery::status)
                .returns(1, Delivery::attempts)
                .returns(200, Delivery::lastStatus);
    }

    @Test
    void onlyEventsOfTheWantedTypesAndOfItsOwnTenantAreSent() throws Exception {
        WebhookStore.Made made = world.webhook(receiver, "policy.denied", "approval.*");
        var wanted = new ArrayList<String>();
        world.happen("other", "policy.denied");
        wanted.add(world.happen("acme", "policy.denied").toString());
        world.happen("acme", "policy.denied.not");
        world.happen("acme", "policy.requires_approval");
        wanted.add(world.happen("acme", "approval.requested").toString());
        world.happen("acme", "approvals.requested");
        world.happen("other", "approval.requested");
        all(server);
        assertThat(receiver.ids()).containsExactlyInAnyOrderElementsOf(wanted);
        assertThat(world.deliveries(made.id()))
                .extracting(each -> each.eventId().toString())
                .containsExactlyInAnyOrderElementsOf(wanted);
    }

    @Test
    void aWebhookIsToldOfWhatHappensFromItsMakingOn() throws Exception {
        world.happen("acme", "policy.denied");
        world.webhook(receiver, "*");
        UUID event = world.happen("acme", "policy.denied");
        all(server);
        assertThat(receiver.ids()).containsExactly(event.toString());
    }

    @Test
    void aReceiverThatFailsIsCalledAgainWithTheSameIdUntilItHasTheEvent() throws Exception {
        WebhookStore.Made made = world.webhook(receiver, "*");
        receiver.next(Say.status(500), Say.status(302), Say.status(404));
        UUID event = world.happen("acme", "policy.denied");
        for (Duration wait : List.of(Duration.ofSeconds(6), Duration.ofSeconds(36), Duration.ofSeconds(144))) {
            all(server);
            assertThat(world.deliveries(made.id())).singleElement().returns(Status.WAITING, Delivery::status);
            world.later(wait);
        }
        all(server);
        assertThat(receiver.ids()).hasSize(4).containsOnly(event.toString());
        assertThat(receiver.got.stream().map(got -> got.headers().get("webhook-timestamp")))
                .doesNotHaveDuplicates();
        for (Receiver.Got got : receiver.got) {
            assertThat(got.signedWith(made.secret())).isTrue();
        }
        assertThat(world.deliveries(made.id()))
                .singleElement()
                .returns(Status.DELIVERED, Delivery::status)
                .returns(4, Delivery::attempts);
    }

    @Test
    void itIsNotCalledBeforeItsTime() throws Exception {
        world.webhook(receiver, "*");
        receiver.next(Say.status(500), new Say(503, Map.of("Retry-After", "600")));
        world.happen("acme", "policy.denied");
        all(server);
        world.later(Duration.ofMillis(4_999));
        all(server);
        assertThat(receiver.got).hasSize(1);
        world.later(Duration.ofMillis(1_001));
        all(server);
        assertThat(receiver.got).hasSize(2);
        world.later(Duration.ofSeconds(599));
        all(server);
        assertThat(receiver.got).hasSize(2);
        world.later(Duration.ofSeconds(121));
        all(server);
        assertThat(receiver.got).hasSize(3);
    }

    @Test
    void aDeadDeliveryIsKeptWithItsCauseAndCanBeReplayed() throws Exception {
        WebhookStore.Made made = world.webhook(receiver, "*");
        UUID event = world.happen("acme", "policy.denied");
        receiver.next(java.util.Collections.nCopies(9, Say.status(500)).toArray(Say[]::new));
        for (int i = 0; i < 15; i++) {
            all(server);
            world.later(DAY_AND_MORE);
        }
        assertThat(receiver.ids()).hasSize(9).containsOnly(event.toString());
        Delivery dead = world.deliveries(made.id()).get(0);
        assertThat(dead.status()).isEqualTo(Status.DEAD);
        assertThat(dead.lastStatus()).isEqualTo(500);
        assertThat(dead.lastError()).isEqualTo("the receiver answered 500");

        assertThat(done(world.store.replay("other", made.id(), dead.event(), "cs_1")))
                .isZero();
        assertThat(done(world.store.replay("acme", made.id(), dead.event(), "cs_1")))
                .isEqualTo(1);
        all(server);
        assertThat(receiver.ids()).hasSize(10).containsOnly(event.toString());
        assertThat(world.deliveries(made.id())).singleElement().returns(Status.DELIVERED, Delivery::status);
    }

    @Test
    void whatWasQueuedSinceATimeIsReplayedWhetherItWasDeliveredOrNot() throws Exception {
        WebhookStore.Made made = world.webhook(receiver, "*");
        world.happen("acme", "policy.denied");
        all(server);
        world.later(Duration.ofHours(1));
        UUID second = world.happen("acme", "policy.denied");
        all(server);
        receiver.got.clear();
        assertThat(done(world.store.replay("acme", made.id(), world.now.get(), "cs_1")))
                .isEqualTo(1);
        all(server);
        assertThat(receiver.ids()).containsExactly(second.toString());
    }

    @Test
    void whatAServerHadSentWhenItCrashedIsSentAgainByAnother() throws Exception {
        WebhookStore.Made made = world.webhook(receiver, "*");
        UUID event = world.happen("acme", "policy.denied");
        DeliveryQueue crashing = world.queue();
        done(crashing.enqueue(world.now.get()));
        List<Claimed> lost = done(crashing.claim(world.now.get(), 8, 50));
        assertThat(lost).hasSize(1);

        all(server);
        assertThat(receiver.got).as("while the first may still be sending").isEmpty();
        world.later(DeliveryQueue.LEASE);
        all(server);
        assertThat(receiver.ids()).containsExactly(event.toString());

        Outcome late = new Outcome(Status.DEAD, 500, "too late to count", null, false);
        done(crashing.settle(lost.get(0), late, world.now.get()));
        assertThat(world.deliveries(made.id())).singleElement().returns(Status.DELIVERED, Delivery::status);
    }

    @Test
    void whereTheOutcomeCannotBeNotedTheEventIsSentAgainWithTheSameId() throws Exception {
        world.webhook(receiver, "*");
        UUID event = world.happen("acme", "policy.denied");
        String blocked = "create function refuse() returns trigger language plpgsql as $$"
                + " begin if new.status = 'delivered' then raise 'no'; end if; return new; end $$;"
                + " create trigger refuse before update on webhook_deliveries for each row execute function refuse()";
        Sql.execute(owner, blocked);
        all(server);
        assertThat(receiver.got).hasSize(1);
        Sql.execute(owner, "drop trigger refuse on webhook_deliveries");
        world.later(DeliveryQueue.LEASE);
        all(server);
        assertThat(receiver.ids()).containsExactly(event.toString(), event.toString());
    }

    @Test
    void manyServersAtOnceDeliverEachEventOnce() throws Exception {
        world.webhook(receiver, "*");
        world.webhook(receiver, "policy.*");
        var expected = new ArrayList<String>();
        for (int i = 0; i < 50; i++) {
            String event = world.happen("acme", "policy.denied").toString();
            expected.add(event);
            expected.add(event);
        }
        List<Deliveries> servers = List.of(server, world.server(receiver), world.server(receiver));
        int idle = 0;
        for (int round = 0; idle < 2 && round < 1_000; round++) {
            List<Future<Integer>> steps = servers.stream().map(Deliveries::step).toList();
            idle = steps.stream().mapToInt(WebhookWorld::done).sum() == 0 ? idle + 1 : 0;
        }
        assertThat(receiver.ids()).containsExactlyInAnyOrderElementsOf(expected);
    }

    @Test
    void aSlowReceiverHasFewCallsAtOnceAndHoldsUpNobodyElse() throws Exception {
        var release = new CountDownLatch(1);
        var atOnce = new AtomicInteger();
        try (Receiver slow = new Receiver()) {
            Deliveries both = world.server(receiver, slow);
            WebhookStore.Made made = world.webhook(slow, "*");
            world.webhook(receiver, "*");
            slow.beforeAnswering(() -> {
                atOnce.incrementAndGet();
                try {
                    if (!release.await(30, TimeUnit.SECONDS)) {
                        throw new AssertionError("never released");
                    }
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            var events = new HashSet<String>();
            for (int i = 0; i < 20; i++) {
                events.add(world.happen("acme", "policy.denied").toString());
            }
            Future<Integer> held = both.step();
            RunningServer.until("the slow one has all that it may have at once", () -> atOnce.get() == 8);
            for (int i = 0; i < 1_000 && receiver.got.size() < 20; i++) {
                done(both.step());
            }
            assertThat(receiver.ids()).containsExactlyInAnyOrderElementsOf(events);
            assertThat(world.deliveries(made.id()).stream().filter(each -> each.attempts() > 0))
                    .hasSize(8);
            assertThat(atOnce).hasValue(8);
            release.countDown();
            done(held);
            all(both);
            assertThat(slow.ids()).containsExactlyInAnyOrderElementsOf(events);
        }
    }

    @Test
    void duringARotationBothSecretsSignAndThenTheNewOneAlone() throws Exception {
        WebhookStore.Made made = world.webhook(receiver, "*");
        WebhookStore.Made rotated = done(world.store.rotate("acme", made.id(), "cs_1"));
        assertThat(rotated.secret()).isNotEqualTo(made.secret());
        world.happen("acme", "policy.denied");
        all(server);
        Receiver.Got during = receiver.got.remove();
        assertThat(during.signedWith(made.secret())).isTrue();
        assertThat(during.signedWith(rotated.secret())).isTrue();
        world.later(WebhookStore.OVERLAP);
        world.happen("acme", "policy.denied");
        all(server);
        Receiver.Got after = receiver.got.remove();
        assertThat(after.signedWith(made.secret())).isFalse();
        assertThat(after.signedWith(rotated.secret())).isTrue();
    }

    @Test
    void aReceiverThatIsGoneIsToldNothingUntilItIsEnabledAndThenEverything() throws Exception {
        WebhookStore.Made made = world.webhook(receiver, "*");
        receiver.next(Say.status(410));
        UUID first = world.happen("acme", "policy.denied");
        all(server);
        assertThat(done(world.store.find("acme", made.id())))
                .returns("receiver", Webhook::disabledBy)
                .returns(WebhookWorld.START, Webhook::disabledAt);
        assertThat(world.deliveries(made.id())).singleElement().returns(Status.DEAD, Delivery::status);
        UUID second = world.happen("acme", "policy.denied");
        world.later(DAY_AND_MORE);
        all(server);
        assertThat(receiver.ids()).containsExactly(first.toString());
        done(world.store.enable("acme", made.id(), "cs_1"));
        all(server);
        assertThat(receiver.ids()).containsExactly(first.toString(), second.toString());
    }

    @Test
    void whereTheOperatorAllowsNoCallTheTenantIsToldSoAndNotWhereItLeads() throws Exception {
        WebhookStore.Made made = world.webhook(receiver, "*");
        world.happen("acme", "policy.denied");
        all(world.server());
        assertThat(receiver.got).isEmpty();
        assertThat(world.deliveries(made.id()))
                .singleElement()
                .returns(Status.WAITING, Delivery::status)
                .returns("the operator of this server does not allow calls to this URL", Delivery::lastError);
    }

    @Test
    void anEventThatCannotBePutIntoASentenceIsNotedAsDeadAndHoldsUpNoOther() throws Exception {
        var slack = new WebhookTerms(receiver.url(), WebhookTerms.Format.SLACK, List.of("*"));
        UUID webhook = done(world.store.create("acme", slack, "cs_1")).id();
        world.happen("acme", "policy.denied", world.id(), "not JSON");
        UUID next = world.happen("acme", "policy.denied");
        all(server);
        assertThat(world.deliveries(webhook))
                .extracting(Delivery::status)
                .containsExactly(Status.DELIVERED, Status.DEAD);
        assertThat(receiver.ids()).containsExactly(next.toString());
        assertThat(receiver.got.element().body()).startsWith("{\"text\":");
    }

    @Test
    void aServerDeliversByItselfAndTriesAgainByItself() throws Exception {
        WebhookStore.Made made = world.webhook(receiver, "*");
        receiver.next(Say.status(500));
        server.start(world.vertx, Duration.ofMillis(20));
        world.happen("acme", "policy.denied");
        RunningServer.until(
                "the first attempt has failed",
                () -> world.deliveries(made.id()).stream()
                        .anyMatch(each -> each.lastStatus() != null && each.lastStatus() == 500));
        world.later(Duration.ofSeconds(6));
        RunningServer.until(
                "the second has not",
                () -> world.deliveries(made.id()).stream().anyMatch(each -> each.status() == Status.DELIVERED));
        assertThat(receiver.got).hasSize(2);
    }

    @Test
    void anEventThatIsKeptNoMoreIsNotedAsDead() throws Exception {
        WebhookStore.Made made = world.webhook(receiver, "*");
        world.happen("acme", "policy.denied");
        done(world.queue().enqueue(world.now.get()));
        Sql.execute(owner, "delete from events");
        all(server);
        assertThat(world.deliveries(made.id()))
                .singleElement()
                .returns(Status.DEAD, Delivery::status)
                .returns("the event is kept no more", Delivery::lastError);
    }

    @Test
    void deliveriesThatEndedLongAgoAreForgottenAndWaitingOnesAreNot() throws Exception {
        WebhookStore.Made made = world.webhook(receiver, "*");
        world.happen("acme", "policy.denied");
        all(server);
        world.later(Duration.ofDays(29));
        assertThat(done(server.forget())).isZero();
        receiver.next(Say.status(500));
        world.happen("acme", "policy.denied");
        all(server);
        world.later(Duration.ofDays(60));
        assertThat(done(server.forget())).isEqualTo(1);
        assertThat(world.deliveries(made.id())).singleElement().returns(Status.WAITING, Delivery::status);
    }

    @Test
    void manyThatEndedLongAgoAreForgottenAtOnceByOneServerAndNotWhileAnotherIsAboutIt() throws Exception {
        WebhookStore.Made made = world.webhook(receiver, "*");
        world.past(made.id(), 3 * Steps.ROWS + 7, "delivered");
        world.later(Duration.ofDays(31));
        try (var other = world.connect()) {
            other.setAutoCommit(false);
            other.createStatement().execute("select pg_advisory_xact_lock(hashtext('countersign webhook deliveries'))");
            assertThat(done(server.forget())).isZero();
            other.rollback();
        }
        assertThat(done(server.forget())).isEqualTo(3 * Steps.ROWS + 7);
        assertThat(world.deliveries(made.id())).isEmpty();
    }
}
