package dev.countersign.server.webhooks;

import static dev.countersign.server.webhooks.WebhookWorld.all;
import static dev.countersign.server.webhooks.WebhookWorld.done;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import dev.countersign.server.postgres.Sql;
import dev.countersign.server.webhooks.Delivery.Status;
import dev.countersign.server.webhooks.Receiver.Say;
import io.vertx.core.Future;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The end of a task is told once, by the queue of all webhooks, after the last of its requests has ended. */
@ExtendWith(PostgresExtension.class)
class CallbackDeliveryTest {
    private static final Duration DAY_AND_MORE = Duration.ofHours(30);

    private PostgresAddress owner;
    private WebhookWorld world;
    private Receiver receiver;
    private Deliveries server;

    @BeforeEach
    void start(PostgresAddress database, @AsOwner PostgresAddress asOwner) throws Exception {
        owner = asOwner;
        world = new WebhookWorld(database);
        world.tasks = (tenant, task) -> Future.succeededFuture(
                JsonNodeFactory.instance.objectNode().put("tenant", tenant).put("task", task.toString()));
        receiver = new Receiver();
        server = world.server(receiver);
    }

    @AfterEach
    void stop() {
        receiver.close();
        world.close();
    }

    /** A task of so many requests, all pending. */
    private UUID task(WebhookStore.Made webhook, int requests, String events) throws SQLException {
        UUID task = world.id();
        for (int i = 0; i < requests; i++) {
            Sql.execute(owner, """
                    insert into approval_requests (tenant, id, task, position, evaluation_id, requester, requester_key,
                      submission, subject_type, subject_id, action, resource_type, resource_id, call, whole, digest,
                      bound_context, advisory, findings, stages, excluded, claimed, reason, risk, created_at, decide_by,
                      use_seconds)
                    values ('acme', gen_random_uuid(), '%s', %d, gen_random_uuid(), 'service:a', 'cs_a', '', 'agent', 'a',
                      'pay', 'tool', 'pay', '{}', true, '', '{}', '{}', '[]', '[]', '{}', '{}', 'r', 'low', now(),
                      now() + interval '1 day', 60)""".formatted(task, i));
        }
        Sql.execute(owner, """
                insert into task_callbacks (tenant, task, webhook, state, events, created_at)
                values ('acme', '%s', '%s', '"s"', '{%s}', now())""".formatted(task, webhook.id(), events));
        return task;
    }

    /** Ends one request of a task, as whoever ends it does: with an event. */
    private void end(UUID task, int position, String status) throws SQLException {
        Sql.execute(owner, """
                update approval_requests set status = '%s', ended_at = now() where task = '%s' and position = %d""".formatted(status, task, position));
        world.happen(
                "acme",
                "approval." + status,
                world.id(),
                "{\"note\":\"\\\"task_id\\\":\\\"%s\\\" \\u0000\",\"data\":{\"task_id\":\"%s\"}}"
                        .formatted(world.id(), task));
    }

    @Test
    void aTaskThatHasEndedIsToldOnceBesideTheEventsThatTheWebhookWants() throws Exception {
        WebhookStore.Made made = world.webhook(receiver, "approval.*");
        UUID task = task(made, 1, "cancelled,expired");
        all(server);
        assertThat(receiver.got).isEmpty();
        end(task, 0, "cancelled");
        world.happen("acme", "approval.cancelled", world.id(), "{\"data\":{\"task_id\":\"" + task + "\"}}");
        all(server);
        assertThat(receiver.got).hasSize(3);
        assertThat(receiver.got.stream().filter(got -> got.id().equals(task.toString())))
                .singleElement()
                .returns("{\"tenant\":\"acme\",\"task\":\"" + task + "\",\"state\":\"s\"}", Receiver.Got::body)
                .matches(got ->
                        got.headers().get("webhook-key-id").equals(made.id().toString()));
    }

    @Test
    void aBundleIsToldAfterItsLastRequestAndByItsOwnState() throws Exception {
        WebhookStore.Made made = world.webhook(receiver, "callback");
        UUID mixed = task(made, 2, "partial");
        UUID same = task(made, 2, "partial");
        end(mixed, 1, "cancelled");
        end(same, 0, "expired");
        all(server);
        assertThat(receiver.got).isEmpty();
        end(mixed, 0, "expired");
        end(same, 1, "expired");
        all(server);
        assertThat(receiver.ids()).containsExactly(mixed.toString());
    }

    @Test
    void manyServersTellEachTaskOnce() throws Exception {
        WebhookStore.Made made = world.webhook(receiver, "callback");
        var tasks = new ArrayList<String>();
        for (int i = 0; i < 40; i++) {
            UUID task = task(made, 2, "expired");
            end(task, 0, "expired");
            end(task, 1, "expired");
            tasks.add(task.toString());
        }
        Deliveries another = world.server(receiver);
        for (int i = 0; i < 20; i++) {
            done(Future.join(server.step(), another.step()));
        }
        assertThat(receiver.ids()).containsExactlyInAnyOrderElementsOf(tasks);
    }

    @Test
    @DisplayName("AR-63: a callback is tried again with the same id, then kept as dead, and replayed")
    void retried() throws Exception {
        WebhookStore.Made made = world.webhook(receiver, "callback");
        UUID task = task(made, 1, "expired");
        end(task, 0, "expired");
        for (int attempt = 0; attempt < 9; attempt++) {
            receiver.next(attempt == 1 ? new Say(302, Map.of("Location", "http://127.0.0.1:1/")) : Say.status(500));
        }
        for (int attempt = 0; attempt < 9; attempt++) {
            all(server);
            world.later(DAY_AND_MORE);
        }
        Delivery dead = world.deliveries(made.id()).get(0);
        assertThat(dead).returns(Status.DEAD, Delivery::status).returns(9, Delivery::attempts);
        assertThat(done(world.store.replay("acme", made.id(), dead.event(), WebhookWorld.KEY)))
                .isEqualTo(1);
        all(server);
        assertThat(receiver.ids()).hasSize(10).containsOnly(task.toString());
        assertThat(world.deliveries(made.id())).singleElement().returns(Status.DELIVERED, Delivery::status);
    }

    @Test
    void whatOnePersonApprovesAloneIsToldAsWell() throws Exception {
        WebhookStore.Made made = world.webhook(receiver, "callback");
        UUID task = task(made, 1, "approved");
        UUID person = world.id();
        Sql.execute(
                owner,
                "insert into persons (id, tenant, name, folded) values ('" + person + "', 'acme', 'gwen', 'gwen')");
        Sql.execute(
                owner,
                "update approval_requests set status = 'approved', ended_at = now(), ended_person = '" + person
                        + "' where task = '" + task + "'");
        world.happen("acme", "approval.break_glass", world.id(), "{\"data\":{\"task_id\":\"" + task + "\"}}");
        all(server);
        assertThat(receiver.ids()).containsExactly(task.toString());
    }

    @Test
    @DisplayName("AR-60: where the operator does not let the server call, nothing is sent, whatever was registered")
    void refusedByTheOperator() throws Exception {
        WebhookStore.Made made = world.webhook(receiver, "callback");
        end(task(made, 1, "expired"), 0, "expired");
        all(world.server());
        assertThat(receiver.got).isEmpty();
        assertThat(world.deliveries(made.id()))
                .singleElement()
                .returns("the operator of this server does not allow calls to this URL", Delivery::lastError);
    }

    @Test
    void aWebhookThatWasDeletedIsToldNothingAndOneThatWasDisabledIsToldLater() throws Exception {
        WebhookStore.Made gone = world.webhook(receiver, "callback");
        UUID lost = task(gone, 1, "expired");
        WebhookStore.Made made = world.webhook(receiver, "callback");
        UUID kept = task(made, 1, "expired");
        done(world.store.disable("acme", made.id(), WebhookWorld.KEY));
        assertThat(done(world.store.delete("acme", gone.id(), WebhookWorld.KEY)))
                .isNotNull();
        assertThat(done(world.store.delete("acme", gone.id(), WebhookWorld.KEY)))
                .isNull();
        end(lost, 0, "expired");
        end(kept, 0, "expired");
        all(server);
        assertThat(receiver.got).isEmpty();
        done(world.store.enable("acme", made.id(), WebhookWorld.KEY));
        all(server);
        assertThat(receiver.ids()).containsExactly(kept.toString());
    }

    @Test
    void aTaskThatIsThereNoMoreIsNotTriedAgain() throws Exception {
        WebhookStore.Made made = world.webhook(receiver, "callback");
        end(task(made, 1, "expired"), 0, "expired");
        world.tasks = (tenant, task) -> Future.succeededFuture(null);
        all(server);
        assertThat(world.deliveries(made.id()))
                .singleElement()
                .returns(Status.DEAD, Delivery::status)
                .returns("the task is kept no more", Delivery::lastError);
    }
}
