package dev.countersign.server.http;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.dialect.Code;
import dev.countersign.rules.dialect.JsonMistake;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Worded;
import dev.countersign.server.decision.Body;
import dev.countersign.server.http.Members.Unfit;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import dev.countersign.server.packs.InForce;
import dev.countersign.server.packs.PackFiles;
import dev.countersign.server.packs.PackStore;
import dev.countersign.server.packs.PackVersion;
import dev.countersign.server.policy.PackChange.Mode;
import dev.countersign.server.policy.PackPublishing;
import dev.countersign.server.policy.PackPublishing.Preview;
import dev.countersign.server.policy.PolicyChanges;
import dev.countersign.server.policy.PolicyChanges.Result;
import dev.countersign.server.policy.TenantState;
import io.vertx.core.Future;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * {@code /api/v1/rule-packs}: the packs of the caller's own plane, which are its tenant's, or for the operator those that judge
 * every tenant.
 */
final class PacksHandler {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String PATH = "/api/v1/rule-packs/";

    private final Callers callers;
    private final Judging judging;
    private final PackPublishing packs;

    PacksHandler(Callers callers, Judging judging, PackPublishing packs) {
        this.callers = callers;
        this.judging = judging;
        this.packs = packs;
    }

    /** By name; and what is beneath them. */
    void list(RoutingContext ctx) {
        Caller caller = reader(ctx);
        if (caller == null) {
            return;
        }
        judging.plane(
                ctx,
                caller,
                state -> Waiting.read(ctx, packs.store().list(caller.tenant()), found -> {
                    ObjectNode out = JSON.createObjectNode();
                    ArrayNode own = out.putArray("packs");
                    found.forEach(each -> own.add(PackViews.of(each, state)));
                    ArrayNode beneath = out.putArray("beneath");
                    state.packs()
                            .beneath()
                            .forEach(pack -> beneath.addObject()
                                    .put("name", pack.name())
                                    .put("declared", pack.version())
                                    .put("digest", pack.digest()));
                    Bodies.send(ctx, 200, out);
                }));
    }

    void get(RoutingContext ctx) {
        Caller caller = reader(ctx);
        if (caller != null) {
            judging.plane(
                    ctx,
                    caller,
                    state -> Waiting.read(ctx, packs.store().find(caller.tenant(), name(ctx)), found -> {
                        if (found == null) {
                            unknown(ctx);
                        } else {
                            send(ctx, found, state);
                        }
                    }));
        }
    }

    /** The latest first; {@code limit}, {@code before} (a version). */
    void versions(RoutingContext ctx) {
        Caller caller = reader(ctx);
        if (caller == null) {
            return;
        }
        try {
            long from = Parameters.number(ctx, "before");
            int limit = Parameters.limit(ctx);
            Waiting.read(ctx, packs.store().versions(caller.tenant(), name(ctx), from, limit), found -> {
                if (found.isEmpty() && from == 0) {
                    unknown(ctx);
                    return;
                }
                ObjectNode out = JSON.createObjectNode();
                ArrayNode all = out.putArray("versions");
                found.forEach(each -> all.add(PackViews.of(each)));
                if (found.size() == limit) {
                    out.put("next", found.get(limit - 1).version());
                }
                Bodies.send(ctx, 200, out);
            });
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        }
    }

    void version(RoutingContext ctx) {
        Caller caller = reader(ctx);
        if (caller == null) {
            return;
        }
        String number = Parameters.id(ctx, "version");
        if (!number.matches("[1-9][0-9]{0,17}")) {
            unknown(ctx);
            return;
        }
        Waiting.read(ctx, packs.store().version(caller.tenant(), name(ctx), Long.parseLong(number)), found -> {
            if (found == null) {
                unknown(ctx);
            } else {
                ObjectNode out = PackViews.whole(found);
                out.set("files", PackViews.json(found.files()));
                Bodies.send(ctx, 200, out);
            }
        });
    }

    /** What the shadow of a pack said beside what was answered. */
    void shadow(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.POLICY_READ, Role.POLICY_WRITE, Role.POLICY_PUBLISH, Role.ADMIN);
        if (caller != null) {
            Waiting.read(ctx, packs.store().find(caller.inTenant(), name(ctx)), found -> {
                Long version = found == null ? null : found.shadow();
                if (version == null) {
                    Problems.send(ctx, 404, "not_found", "no version of such a pack is a shadow here");
                } else {
                    Waiting.read(
                            ctx,
                            packs.shadows().read(caller.inTenant(), name(ctx), version),
                            pairs -> Bodies.send(ctx, 200, PackViews.of(version, pairs)));
                }
            });
        }
    }

    /** What would come of publishing; nothing is stored. */
    void check(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.POLICY_WRITE, Role.POLICY_PUBLISH, Role.ADMIN, Role.OPERATOR);
        Body body = caller == null ? null : Bodies.object(ctx);
        if (caller == null || body == null) {
            return;
        }
        try {
            PackFiles files = PackFiles.of(new Members(body.json(), "files").json("files"));
            Waiting.change(ctx, packs.check(caller, name(ctx), files), preview -> {
                if (preview instanceof Preview.Busy busy) {
                    busy(ctx, busy);
                } else {
                    Bodies.send(ctx, 200, PackViews.of(preview));
                }
            });
        } catch (Unfit e) {
            Members.refuse(ctx, e);
        } catch (PackFiles.Unfit e) {
            Problems.send(ctx, 422, "invalid_body", String.valueOf(e.getMessage()));
        }
    }

    void publish(RoutingContext ctx) {
        Caller caller = publisher(ctx);
        Body body = caller == null ? null : Bodies.object(ctx);
        if (caller == null || body == null) {
            return;
        }
        try {
            var members = new Members(body.json(), "files", "mode");
            PackFiles files = PackFiles.of(members.json("files"));
            Mode mode = mode(members, Mode.ACTIVE);
            if (mode == Mode.SHADOW && caller.tenant() == null) {
                throw new Unfit("a shadow is a tenant's own: the operator sees no decisions");
            }
            Waiting.change(ctx, packs.check(caller, name(ctx), files), preview -> {
                if (preview instanceof Preview.Busy busy) {
                    busy(ctx, busy);
                } else if (preview instanceof Preview.Good good) {
                    publish(ctx, caller, files, mode, good);
                } else {
                    refuse(ctx, preview);
                }
            });
        } catch (Unfit e) {
            Members.refuse(ctx, e);
        } catch (PackFiles.Unfit e) {
            Problems.send(ctx, 422, "invalid_body", String.valueOf(e.getMessage()));
        }
    }

    private void publish(RoutingContext ctx, Caller caller, PackFiles files, Mode mode, Preview.Good good) {
        Waiting.<@Nullable PackVersion>change(ctx, packs.publish(caller, files, good), stored -> {
            if (stored == null) {
                Problems.send(
                        ctx,
                        409,
                        "too_many_packs",
                        "there are " + PackStore.MAX_PACKS + " packs here, and no more may be");
                return;
            }
            String path = PATH + stored.name() + "/versions/" + stored.version();
            Consumer<RoutingContext> done = at -> {
                at.response().putHeader("Location", path);
                Bodies.send(at, 201, PackViews.whole(stored));
            };
            if (mode == Mode.OFF) {
                done.accept(ctx);
            } else {
                var used = packs.use(caller, mode, stored.version(), good.pack(), any -> true)
                        .recover(PacksHandler::tooMuchChanges);
                Waiting.change(ctx, used, result -> {
                    if (result instanceof Result.Refused<InForce> refused) {
                        Problems.send(
                                ctx,
                                409,
                                "pack_refused",
                                "version " + stored.version() + " is stored, and judges nobody: "
                                        + refused.mistake().message());
                    } else {
                        used(ctx, result, now -> done.accept(ctx));
                    }
                });
            }
        });
    }

    /** The version is stored by then: to say that nothing was changed would have it stored again. */
    private static Future<Result<InForce>> tooMuchChanges(Throwable failure) {
        return failure instanceof PolicyChanges.Busy || failure instanceof PolicyChanges.Overtaken
                ? Future.succeededFuture(new Result.Refused<>(
                        new JsonMistake("/version", Code.Y001, String.valueOf(failure.getMessage()), null)))
                : Future.failedFuture(failure);
    }

    /** Has another version judge, be evaluated beside, or neither: also the way back to an earlier one. */
    void activate(RoutingContext ctx) {
        Caller caller = publisher(ctx);
        Body body = caller == null ? null : Bodies.object(ctx);
        if (caller == null || body == null) {
            return;
        }
        try {
            var members = new Members(body.json(), "version", "mode");
            Mode mode = mode(members, Mode.ACTIVE);
            long version = members.number("version", 0, 1, Long.MAX_VALUE);
            if (version == 0 && mode != Mode.OFF) {
                throw new Unfit("`version` is missing");
            }
            var precondition = new Precondition(ctx.request().headers());
            judging.plane(
                    ctx,
                    caller,
                    before -> Waiting.<@Nullable Result<InForce>>change(
                            ctx,
                            packs.use(caller, name(ctx), mode, version == 0 ? null : version, precondition),
                            result -> {
                                if (result == null) {
                                    unknown(ctx);
                                } else {
                                    used(
                                            ctx,
                                            result,
                                            now -> judging.plane(ctx, caller, state -> send(ctx, now, state)));
                                }
                            }));
        } catch (Unfit e) {
            Members.refuse(ctx, e);
        }
    }

    private static Mode mode(Members members, Mode byDefault) throws Unfit {
        String word = members.text("mode");
        Mode mode = word == null ? byDefault : Worded.of(Mode.class, word);
        if (mode == null) {
            throw new Unfit("`mode` is one of active, shadow, off");
        }
        return mode;
    }

    private static void used(RoutingContext ctx, Result<InForce> result, Consumer<InForce> done) {
        ChangeAnswer.send(
                ctx,
                result,
                done,
                version -> Precondition.failed(
                        ctx, version, "what judges of this pack was changed " + version + " times: read it again"),
                mistake -> Problems.send(ctx, 422, "pack_refused", mistake.message()));
    }

    private static void busy(RoutingContext ctx, Preview.Busy busy) {
        Problems.send(ctx, 503, "busy", busy.why());
    }

    private static void refuse(RoutingContext ctx, Preview preview) {
        ObjectNode view = PackViews.of(preview);
        String detail = preview instanceof Preview.Conflict conflict
                ? conflict.why()
                : switch (view.at("/report/exit_code").asInt()) {
                    case 1 -> "the pack has mistakes: see `report`";
                    case 2 -> "the pack fails its scenarios: see `report`";
                    default -> "the pack misses the bar that its `tests:` sets, or the usual one: see `report`";
                };
        Problems.send(ctx, 422, "pack_refused", detail, problem -> problem.set("report", view.get("report")));
    }

    private static void send(RoutingContext ctx, InForce pack, TenantState state) {
        ctx.response().putHeader(HttpHeaders.ETAG, SettingView.etag(pack.change()));
        Bodies.send(ctx, 200, PackViews.of(pack, state));
    }

    private static String name(RoutingContext ctx) {
        return Objects.requireNonNull(Parameters.id(ctx, "name"));
    }

    private @Nullable Caller reader(RoutingContext ctx) {
        return callers.require(
                ctx, Role.POLICY_READ, Role.POLICY_WRITE, Role.POLICY_PUBLISH, Role.ADMIN, Role.OPERATOR);
    }

    private @Nullable Caller publisher(RoutingContext ctx) {
        return callers.require(ctx, Role.POLICY_PUBLISH, Role.OPERATOR);
    }

    private static void unknown(RoutingContext ctx) {
        Problems.send(ctx, 404, "not_found", "there is no such pack or version here");
    }
}
