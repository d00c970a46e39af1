package dev.countersign.server.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.dialect.JsonMistake;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.rows.PolicyRow;
import dev.countersign.rules.rows.RowReader;
import dev.countersign.server.decision.Body;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import dev.countersign.server.policy.PolicyChanges;
import dev.countersign.server.policy.PolicyChanges.Result;
import dev.countersign.server.policy.RowChange;
import dev.countersign.server.rows.RowJson;
import dev.countersign.server.rows.RowStore;
import dev.countersign.server.rows.StoredRow;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.LongPredicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * {@code /api/v1/policies}: the rows of the caller's own plane, which are its tenant's, or for the operator those that judge
 * every tenant.
 */
final class PoliciesHandler {
    private static final String PATH = "/api/v1/policies/";

    private final Callers callers;
    private final Judging judging;
    private final RowStore rows;
    private final PolicyChanges changes;
    private final Supplier<UUID> newId;

    PoliciesHandler(Callers callers, Judging judging, RowStore rows, PolicyChanges changes, Supplier<UUID> newId) {
        this.callers = callers;
        this.judging = judging;
        this.rows = rows;
        this.changes = changes;
        this.newId = newId;
    }

    /** By id; {@code scope}, {@code scope_ref}, {@code effect}, {@code owner}, {@code action}, {@code enabled}. */
    void list(RoutingContext ctx) {
        Caller caller = reader(ctx);
        if (caller == null) {
            return;
        }
        try {
            var filter = new RowStore.Filter(
                    Parameters.text(ctx, "scope"),
                    Parameters.text(ctx, "scope_ref"),
                    Parameters.text(ctx, "effect"),
                    Parameters.text(ctx, "owner"),
                    Parameters.text(ctx, "action"),
                    Parameters.flag(ctx, "enabled"));
            UUID from = Parameters.uuid(Parameters.text(ctx, "after"));
            Pages.send(
                    ctx,
                    "policies",
                    (after, limit) -> rows.list(caller.tenant(), filter, from, limit),
                    PoliciesHandler::view);
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        }
    }

    void get(RoutingContext ctx) {
        Caller caller = reader(ctx);
        UUID id = caller == null ? null : id(ctx);
        if (caller != null && id != null) {
            Waiting.read(ctx, rows.find(caller.tenant(), id), found -> {
                if (found == null) {
                    unknown(ctx);
                } else {
                    send(ctx, 200, found);
                }
            });
        }
    }

    /** By version; {@code limit}, {@code after} (a version). */
    void history(RoutingContext ctx) {
        Caller caller = reader(ctx);
        UUID id = caller == null ? null : id(ctx);
        if (caller != null && id != null) {
            Pages.history(
                    ctx,
                    "policy",
                    (after, limit) -> rows.history(caller.tenant(), id, after, limit),
                    () -> unknown(ctx));
        }
    }

    void create(RoutingContext ctx) {
        write(ctx, newId.get(), 201, version -> version == 0);
    }

    void put(RoutingContext ctx) {
        UUID id = id(ctx);
        if (id != null) {
            var precondition = new Precondition(ctx.request().headers());
            write(ctx, id, 200, version -> version > 0 && precondition.test(version));
        }
    }

    private void write(RoutingContext ctx, UUID id, int status, LongPredicate precondition) {
        Caller caller = writer(ctx);
        Body body = caller == null ? null : Bodies.object(ctx);
        if (caller == null || body == null) {
            return;
        }
        judging.plane(ctx, caller, state -> {
            var mistakes = new ArrayList<JsonMistake>();
            PolicyRow row = RowJson.read(id.toString(), caller.tenant(), 1, body.json(), mistakes);
            List<JsonMistake> more = new RowReader(state.vocabulary()).read(row).mistakes();
            more.stream()
                    .filter(mistake ->
                            mistakes.stream().noneMatch(known -> known.pointer().equals(mistake.pointer())))
                    .forEach(mistakes::add);
            if (mistakes.isEmpty()) {
                change(ctx, caller, RowChange.write(row), status, precondition);
            } else {
                refuse(ctx, mistakes);
            }
        });
    }

    void delete(RoutingContext ctx) {
        Caller caller = writer(ctx);
        UUID id = caller == null ? null : id(ctx);
        if (caller != null && id != null) {
            var precondition = new Precondition(ctx.request().headers());
            change(
                    ctx,
                    caller,
                    RowChange.delete(caller.tenant(), id.toString()),
                    200,
                    version -> version > 0 && precondition.test(version));
        }
    }

    private void change(RoutingContext ctx, Caller caller, RowChange change, int status, LongPredicate precondition) {
        Waiting.<Result<@Nullable StoredRow>>change(
                ctx, changes.make(caller, change, precondition), result -> changed(ctx, status, result));
    }

    /** The JSON Schema of {@code rule_expr}. */
    void schema(RoutingContext ctx) {
        if (reader(ctx) != null) {
            ctx.response()
                    .putHeader(HttpHeaders.CONTENT_TYPE, "application/schema+json")
                    .end(RowReader.schema());
        }
    }

    private static void changed(RoutingContext ctx, int status, Result<@Nullable StoredRow> result) {
        ChangeAnswer.<@Nullable StoredRow>send(
                ctx,
                result,
                now -> {
                    if (now == null) {
                        unknown(ctx);
                    } else {
                        send(ctx, status, now);
                    }
                },
                version -> {
                    if (version == 0) {
                        unknown(ctx);
                    } else {
                        Precondition.failed(ctx, version, "this policy is at version " + version + ": read it again");
                    }
                },
                mistake -> refuse(ctx, List.of(mistake)));
    }

    private static void refuse(RoutingContext ctx, List<JsonMistake> mistakes) {
        Problems.mistakes(ctx, "policy", mistakes);
    }

    private static void send(RoutingContext ctx, int status, StoredRow stored) {
        ctx.response().putHeader(HttpHeaders.ETAG, SettingView.etag(stored.row().version()));
        if (status == 201) {
            ctx.response().putHeader("Location", PATH + stored.row().id());
        }
        Bodies.send(ctx, status, view(stored));
    }

    private static ObjectNode view(StoredRow stored) {
        ObjectNode out = RowJson.write(stored.row());
        out.put("created_at", stored.createdAt().toString());
        if (stored.createdBy() != null) {
            out.put("created_by", stored.createdBy());
        }
        out.put("updated_at", stored.updatedAt().toString());
        return stored.updatedBy() == null ? out : out.put("updated_by", stored.updatedBy());
    }

    private @Nullable Caller reader(RoutingContext ctx) {
        return callers.require(ctx, Role.POLICY_READ, Role.POLICY_WRITE, Role.ADMIN, Role.OPERATOR);
    }

    private @Nullable Caller writer(RoutingContext ctx) {
        return callers.require(ctx, Role.POLICY_WRITE, Role.ADMIN, Role.OPERATOR);
    }

    private static @Nullable UUID id(RoutingContext ctx) {
        return Parameters.uuidOr(ctx, () -> unknown(ctx));
    }

    private static void unknown(RoutingContext ctx) {
        Problems.send(ctx, 404, "not_found", "there is no such policy here");
    }
}
