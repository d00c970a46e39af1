package dev.countersign.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Worded;
import dev.countersign.server.decision.Body;
import dev.countersign.server.egress.EgressRules;
import dev.countersign.server.egress.RefusedDestinationException;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import dev.countersign.server.webhooks.Delivery;
import dev.countersign.server.webhooks.Webhook;
import dev.countersign.server.webhooks.WebhookStore;
import dev.countersign.server.webhooks.WebhookTerms;
import io.vertx.core.Future;
import io.vertx.ext.web.RoutingContext;
import java.net.URI;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** {@code /api/v1/webhooks}: who is told of a tenant's events, signed as Standard Webhooks has it. */
final class WebhooksHandler {
    /** Where they are. */
    static final String PATH = "/api/v1/webhooks";

    private final Callers callers;
    private final WebhookStore webhooks;
    private final EgressRules rules;

    /** @param rules where the operator lets the server call */
    WebhooksHandler(Callers callers, WebhookStore webhooks, EgressRules rules) {
        this.callers = callers;
        this.webhooks = webhooks;
        this.rules = rules;
    }

    /** All of the tenant. */
    void list(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.ADMIN);
        if (caller != null) {
            Waiting.read(ctx, webhooks.list(caller.inTenant()), found -> {
                ObjectNode out = JsonNodeFactory.instance.objectNode();
                ArrayNode all = out.putArray("webhooks");
                found.forEach(each -> all.add(view(each)));
                Bodies.send(ctx, 200, out);
            });
        }
    }

    /** {@code {url, types, format?}}: 201 with the secret, which is shown once. */
    void create(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.ADMIN);
        WebhookTerms terms = caller == null ? null : terms(ctx);
        if (caller == null || terms == null) {
            return;
        }
        String tenant = caller.inTenant();
        Waiting.change(ctx, webhooks.create(tenant, terms, caller.keyId()), made -> {
            if (made == null) {
                Problems.send(
                        ctx,
                        409,
                        "too_many_webhooks",
                        "a tenant has at most " + WebhookStore.MAX_OF_TENANT + " webhooks");
                return;
            }
            ctx.response().putHeader("Location", PATH + "/" + made.id());
            Waiting.read(ctx, webhooks.find(tenant, made.id()), found -> {
                ObjectNode out = found == null ? JsonNodeFactory.instance.objectNode() : view(found);
                Bodies.sendSecret(ctx, out.put("secret", made.secret()));
            });
        });
    }

    private @Nullable WebhookTerms terms(RoutingContext ctx) {
        Body body = Bodies.object(ctx);
        if (body == null) {
            return null;
        }
        try {
            var members = new Members(body.json(), "url", "types", "format");
            String word = members.text("format");
            WebhookTerms.Format format =
                    word == null ? WebhookTerms.Format.STANDARD : Worded.of(WebhookTerms.Format.class, word);
            JsonNode url = body.json().path("url");
            if (format == null) {
                throw new Members.Unfit("`format` is standard or slack");
            }
            if (!url.isTextual()) {
                throw new Members.Unfit("`url` is missing");
            }
            var terms = new WebhookTerms(URI.create(url.textValue()), format, members.texts("types"));
            rules.check(terms.url());
            return terms;
        } catch (Members.Unfit e) {
            Members.refuse(ctx, e);
        } catch (RefusedDestinationException e) {
            Problems.send(
                    ctx,
                    422,
                    "destination_refused",
                    "the operator does not let this server call there: " + e.getMessage());
        } catch (IllegalArgumentException e) {
            Problems.send(ctx, 422, "invalid_body", String.valueOf(e.getMessage()));
        }
        return null;
    }

    void get(RoutingContext ctx) {
        known(ctx, (caller, id) -> webhooks.find(caller.inTenant(), id), found -> Bodies.send(ctx, 200, view(found)));
    }

    /** {@code {url, types, format?}}. */
    void put(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.ADMIN);
        UUID id = caller == null ? null : id(ctx);
        WebhookTerms terms = id == null ? null : terms(ctx);
        if (caller != null && id != null && terms != null) {
            answer(
                    ctx,
                    webhooks.change(caller.inTenant(), id, terms, caller.keyId()),
                    found -> Bodies.send(ctx, 200, view(found)));
        }
    }

    void delete(RoutingContext ctx) {
        known(
                ctx,
                (caller, id) -> webhooks.delete(caller.inTenant(), id, caller.keyId()),
                gone -> Bodies.send(ctx, 200, view(gone)));
    }

    /** Another secret; for a day, both sign. */
    void rotate(RoutingContext ctx) {
        known(
                ctx,
                (caller, id) -> webhooks.rotate(caller.inTenant(), id, caller.keyId()),
                made -> Bodies.sendSecret(
                        ctx,
                        JsonNodeFactory.instance
                                .objectNode()
                                .put("id", made.id().toString())
                                .put("secret", made.secret())));
    }

    void disable(RoutingContext ctx) {
        known(
                ctx,
                (caller, id) -> webhooks.disable(caller.inTenant(), id, caller.keyId()),
                found -> Bodies.send(ctx, 200, view(found)));
    }

    void enable(RoutingContext ctx) {
        known(
                ctx,
                (caller, id) -> webhooks.enable(caller.inTenant(), id, caller.keyId()),
                found -> Bodies.send(ctx, 200, view(found)));
    }

    /** {@code status} (waiting, delivered, dead), {@code limit}, {@code before} (an event's number): the newest first. */
    void deliveries(RoutingContext ctx) {
        try {
            String word = Parameters.text(ctx, "status");
            Delivery.Status status = Worded.of(Delivery.Status.class, word);
            if (word != null && status == null) {
                throw new BadCall("`status` is waiting, delivered or dead");
            }
            long before = Parameters.number(ctx, "before");
            int limit = Parameters.limit(ctx);
            known(
                    ctx,
                    (caller, id) -> webhooks.find(caller.inTenant(), id)
                            .compose(found -> found == null
                                    ? Future.<@Nullable List<Delivery>>succeededFuture(null)
                                    : webhooks.deliveries(
                                            caller.inTenant(),
                                            id,
                                            status,
                                            before == 0 ? Long.MAX_VALUE : before,
                                            limit)),
                    found -> {
                        ObjectNode out = JsonNodeFactory.instance.objectNode();
                        ArrayNode all = out.putArray("deliveries");
                        found.forEach(each -> all.add(view(each)));
                        Bodies.send(ctx, 200, out);
                    });
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        }
    }

    /** {@code {event}} (its number) or {@code {since}} (a time): delivers again. */
    void replay(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.ADMIN);
        UUID id = caller == null ? null : id(ctx);
        Body body = id == null ? null : Bodies.object(ctx);
        if (caller == null || id == null || body == null) {
            return;
        }
        try {
            var members = new Members(body.json(), "event", "since");
            Instant since = members.time("since");
            long event = members.number("event", 0, 1, Long.MAX_VALUE);
            if ((since == null) == (event == 0)) {
                throw new Members.Unfit("give `event`, its number, or `since`, a time");
            }
            String tenant = caller.inTenant();
            answer(
                    ctx,
                    webhooks.find(tenant, id)
                            .compose(found -> found == null
                                    ? Future.<@Nullable Integer>succeededFuture(null)
                                    : since == null
                                            ? webhooks.replay(tenant, id, event, caller.keyId())
                                            : webhooks.replay(tenant, id, since, caller.keyId())),
                    queued -> Bodies.send(
                            ctx, 202, JsonNodeFactory.instance.objectNode().put("queued", queued)));
        } catch (Members.Unfit e) {
            Members.refuse(ctx, e);
        }
    }

    private interface Asking<T> {
        Future<@Nullable T> of(Caller caller, UUID id);
    }

    private <T> void known(RoutingContext ctx, Asking<T> asking, Consumer<T> then) {
        Caller caller = callers.require(ctx, Role.ADMIN);
        UUID id = caller == null ? null : id(ctx);
        if (caller != null && id != null) {
            answer(ctx, asking.of(caller, id), then);
        }
    }

    private static <T> void answer(RoutingContext ctx, Future<@Nullable T> asked, Consumer<T> then) {
        Waiting.change(ctx, asked, found -> {
            if (found == null) {
                unknown(ctx);
            } else {
                then.accept(found);
            }
        });
    }

    private static @Nullable UUID id(RoutingContext ctx) {
        return Parameters.uuidOr(ctx, () -> unknown(ctx));
    }

    private static void unknown(RoutingContext ctx) {
        Problems.send(ctx, 404, "not_found", "there is no such webhook here");
    }

    private static ObjectNode view(Webhook webhook) {
        ObjectNode out = JsonNodeFactory.instance
                .objectNode()
                .put("id", webhook.id().toString())
                .put("url", webhook.shownUrl())
                .put("format", webhook.format().word());
        ArrayNode types = out.putArray("types");
        webhook.eventTypes().forEach(types::add);
        out.put("created_at", webhook.createdAt().toString()).put("created_by", webhook.createdBy());
        ReceiptsHandler.put(out, "previous_secret_until", webhook.previousUntil());
        ReceiptsHandler.put(out, "disabled_at", webhook.disabledAt());
        ReceiptsHandler.put(out, "disabled_by", webhook.disabledBy());
        return out;
    }

    private static ObjectNode view(Delivery delivery) {
        ObjectNode out = JsonNodeFactory.instance
                .objectNode()
                .put("event", delivery.event())
                .put("event_id", delivery.eventId().toString())
                .put("type", delivery.eventType())
                .put("status", delivery.status().word())
                .put("attempts", delivery.attempts())
                .put("created_at", delivery.createdAt().toString())
                .put("next_at", delivery.nextAt().toString());
        if (delivery.lastStatus() != null) {
            out.put("last_status", delivery.lastStatus());
        }
        ReceiptsHandler.put(out, "last_error", delivery.lastError());
        ReceiptsHandler.put(out, "last_at", delivery.lastAt());
        ReceiptsHandler.put(out, "ended_at", delivery.endedAt());
        return out;
    }
}
