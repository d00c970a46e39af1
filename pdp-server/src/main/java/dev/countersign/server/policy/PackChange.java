package dev.countersign.server.policy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.rules.dialect.Code;
import dev.countersign.rules.dialect.JsonMistake;
import dev.countersign.rules.facts.Worded;
import dev.countersign.rules.pack.Pack;
import dev.countersign.server.decision.TenantPolicy;
import dev.countersign.server.packs.ActivePack;
import dev.countersign.server.packs.InForce;
import dev.countersign.server.packs.PackStore;
import dev.countersign.server.packs.PackVersion;
import dev.countersign.server.packs.PublishedPacks;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.sqlclient.SqlConnection;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Another version of a published pack that judges, or none. */
public final class PackChange implements PolicyChange<InForce> {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** The most rules of the packs of one plane: more take a server longer to read than a change may. */
    private static final int MOST_RULES = 5_000;
    /** Each is one more evaluation of every decision. */
    private static final int MOST_SHADOWS = 3;

    /** What is made of a version. */
    public enum Mode implements Worded {
        /** It judges, in place of the version that did. */
        ACTIVE,
        /** It is evaluated beside the version that judges, and never answers. */
        SHADOW,
        /** It does neither any more; where no version is named, none of the pack does. */
        OFF;
    }

    private final @Nullable String tenant;
    private final String name;
    private final Mode mode;
    private final @Nullable Long version;
    private final @Nullable Pack pack;

    private PackChange(@Nullable String tenant, String name, Mode mode, @Nullable Long version, @Nullable Pack pack) {
        this.tenant = tenant;
        this.name = name;
        this.mode = mode;
        this.version = version;
        this.pack = pack;
    }

    /** The change that makes {@code mode}, active or shadow, of a version. */
    public static PackChange use(@Nullable String tenant, Mode mode, long version, Pack pack) {
        return new PackChange(tenant, pack.name(), mode, version, pack);
    }

    /** The change after which a version, {@code null} for any, neither judges nor is evaluated beside. */
    public static PackChange off(@Nullable String tenant, String name, @Nullable Long version) {
        return new PackChange(tenant, name, Mode.OFF, version, null);
    }

    /** The change that a proposal holds, or {@code null} if its version could not be used any more. */
    public static Future<@Nullable PackChange> read(
            PackStore store, PublishedPacks published, Vertx vertx, Proposal proposal) {
        JsonNode change;
        try {
            change = JSON.readTree(proposal.change());
        } catch (JsonProcessingException e) {
            return Future.succeededFuture();
        }
        Mode mode = Worded.of(Mode.class, change.path("mode").asText());
        Long version = change.path("version").isIntegralNumber()
                ? change.path("version").longValue()
                : null;
        if (mode == null || mode == Mode.OFF || version == null) {
            return Future.succeededFuture(mode == Mode.OFF ? off(proposal.tenant(), proposal.name(), version) : null);
        }
        return store.version(proposal.tenant(), proposal.name(), version)
                .compose(found -> found == null ? Future.succeededFuture() : pack(published, vertx, found))
                .map(pack -> pack == null ? null : use(proposal.tenant(), mode, version, pack));
    }

    /** The pack of a stored version, or {@code null} if it could not be used any more. */
    static Future<@Nullable Pack> pack(PublishedPacks published, Vertx vertx, PackVersion stored) {
        return vertx.executeBlocking(() -> published.parse(stored.digest(), stored.files()), false);
    }

    @Override
    public Proposal.Kind kind() {
        return Proposal.Kind.PACK;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String json() {
        var change = JSON.createObjectNode().put("mode", mode.word());
        if (version != null) {
            change.put("version", version);
        }
        return (pack == null ? change : change.put("digest", pack.digest())).toString();
    }

    /** Whichever number its version has: what a pack does, its digest says. */
    @Override
    public String effect() {
        return pack == null
                ? PolicyChange.super.effect()
                : kind().word() + " " + name + " " + mode.word() + " " + pack.digest();
    }

    @Override
    public boolean sensitive() {
        return false;
    }

    /** @throws IllegalArgumentException if the pack does not go together with the others; the message says why */
    @Override
    public TenantPolicy applied(TenantState state) {
        if (mode == Mode.SHADOW) {
            return state.policy();
        }
        var packs = new ArrayList<ActivePack>();
        boolean changed = pack != null;
        for (ActivePack active : state.packs().own()) {
            boolean other =
                    !active.name().equals(name) || mode == Mode.OFF && version != null && version != active.version();
            changed |= !other;
            if (other) {
                packs.add(active);
            }
        }
        if (!changed) {
            return state.policy();
        }
        if (pack != null) {
            packs.add(new ActivePack(name, Objects.requireNonNull(version), pack));
            packs.sort(Comparator.comparing(ActivePack::name));
        }
        int rules = packs.stream()
                .map(ActivePack::pack)
                .filter(Objects::nonNull)
                .mapToInt(active -> active.rules().size())
                .sum();
        if (pack != null && rules > MOST_RULES) {
            throw new IllegalArgumentException(
                    "the packs that judge here would have " + rules + " rules together, and may have " + MOST_RULES);
        }
        return state.with(state.packs().with(packs));
    }

    @Override
    public Future<Long> version(SqlConnection connection) {
        return PackStore.find(connection, tenant, name).map(found -> found == null ? 0L : found.change());
    }

    @Override
    public Future<@Nullable JsonMistake> refusal(SqlConnection connection) {
        return PackStore.find(connection, tenant, name).compose(found -> {
            if (found == null) {
                return Future.succeededFuture(refused("there is no such pack any more"));
            }
            return PackStore.refusal(connection, tenant, found, next(found))
                    .compose(tooMuch -> tooMuch != null
                            ? Future.succeededFuture(refused(tooMuch))
                            : mode == Mode.SHADOW ? shadowRefusal(connection) : Future.succeededFuture());
        });
    }

    private Future<@Nullable JsonMistake> shadowRefusal(SqlConnection connection) {
        if (tenant == null) {
            return Future.succeededFuture(
                    refused("a shadow is a tenant's own: what the operator publishes judges, or does not"));
        }
        return PackStore.list(connection, tenant).map(packs -> {
            long others = packs.stream()
                    .filter(pack -> pack.shadow() != null && !pack.name().equals(name))
                    .count();
            boolean judges =
                    packs.stream().anyMatch(pack -> pack.name().equals(name) && Objects.equals(pack.active(), version));
            return judges
                    ? refused("this version is the one that judges")
                    : others >= MOST_SHADOWS
                            ? refused(
                                    "there are " + others + " shadows here, and no more may be: end one of them first")
                            : null;
        });
    }

    @Override
    public Future<Boolean> restores(SqlConnection connection, long revision) {
        return mode == Mode.SHADOW
                ? Future.succeededFuture(false)
                : PackStore.judgedUntil(connection, tenant, name, mode == Mode.ACTIVE ? version : null, revision);
    }

    private static JsonMistake refused(String why) {
        return new JsonMistake("/version", Code.Y001, why, null);
    }

    @Override
    public Future<InForce> apply(SqlConnection connection, Author by, @Nullable Proposal proposal) {
        return PackStore.find(connection, tenant, name)
                .compose(found -> PackStore.put(
                        connection,
                        tenant,
                        next(Objects.requireNonNull(found, "the pack has a version")),
                        new PackStore.By(by.key(), by.person(), by.at()),
                        proposal == null ? null : proposal.id()));
    }

    private InForce next(InForce now) {
        Long active = now.active();
        Long shadow = now.shadow();
        switch (mode) {
            case ACTIVE -> {
                active = version;
                shadow = Objects.equals(shadow, version) ? null : shadow;
            }
            case SHADOW -> shadow = version;
            case OFF -> {
                active = version == null || Objects.equals(active, version) ? null : active;
                shadow = version == null || Objects.equals(shadow, version) ? null : shadow;
            }
        }
        return new InForce(now.name(), now.change() + 1, active, shadow, now.latest(), now.at(), now.by());
    }
}
