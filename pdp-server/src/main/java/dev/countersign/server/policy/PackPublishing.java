package dev.countersign.server.policy;

import dev.countersign.rules.dialect.Code;
import dev.countersign.rules.dialect.JsonMistake;
import dev.countersign.rules.pack.Pack;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.live.Changes;
import dev.countersign.server.packs.InForce;
import dev.countersign.server.packs.PackChecker;
import dev.countersign.server.packs.PackChecker.Checked;
import dev.countersign.server.packs.PackFiles;
import dev.countersign.server.packs.PackStore;
import dev.countersign.server.packs.PackVersion;
import dev.countersign.server.packs.PublishedPacks;
import dev.countersign.server.packs.ShadowRecords;
import dev.countersign.server.policy.PackChange.Mode;
import dev.countersign.server.policy.PolicyChanges.Result;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.time.InstantSource;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way of a pack from an upload to judging: check, scenarios, comparison with what judges, a version that nobody changes,
 * and then active, shadow or neither.
 */
public final class PackPublishing {
    private static final Logger LOG = LoggerFactory.getLogger(PackPublishing.class);

    /** What came of an upload before anything is stored. */
    public sealed interface Preview {
        /** There is no time for it, or too little. */
        record Busy(String why) implements Preview {}

        /** It has mistakes or does not pass. */
        record Failed(Checked checked) implements Preview {}

        /** It passes, and does not go together with what else judges. */
        record Conflict(Checked checked, String why) implements Preview {}

        /** It may be published. */
        record Good(Checked checked, Pack pack, Difference difference) implements Preview {}
    }

    private final Vertx vertx;
    private final PackChecker checker;
    private final PackStore store;
    private final PublishedPacks published;
    private final ShadowRecords shadows;
    private final PolicyChanges policies;
    private final Changes changes;
    private final InstantSource clock;

    /**
     * Publishing of packs.
     *
     * @param checker checks what is uploaded
     * @param store the packs
     * @param published reads their texts
     * @param shadows what shadows say
     * @param policies changes what judges
     * @param changes stores versions
     * @param clock dates them
     */
    public PackPublishing(
            Vertx vertx,
            PackChecker checker,
            PackStore store,
            PublishedPacks published,
            ShadowRecords shadows,
            PolicyChanges policies,
            Changes changes,
            InstantSource clock) {
        this.vertx = vertx;
        this.checker = checker;
        this.store = store;
        this.published = published;
        this.shadows = shadows;
        this.policies = policies;
        this.changes = changes;
        this.clock = clock;
        policies.fetching(Proposal.Kind.PACK, (proposal, now) -> PackChange.read(store, published, vertx, proposal));
    }

    /** The packs that are published. */
    public PackStore store() {
        return store;
    }

    /** What shadows say. */
    public ShadowRecords shadows() {
        return shadows;
    }

    /** What these files come to as the pack {@code name} of the caller's plane; nothing is stored. */
    public Future<Preview> check(Caller caller, String name, PackFiles files) {
        return checker.check(name, files, caller.tenant() != null)
                .compose(checked -> checked.pack() == null || !checked.passed()
                        ? Future.succeededFuture(new Preview.Failed(checked))
                        : compared(caller, checked, checked.pack()))
                .recover(failure -> failure instanceof PackChecker.Refused
                        ? Future.succeededFuture(new Preview.Busy(String.valueOf(failure.getMessage())))
                        : Future.failedFuture(failure));
    }

    private Future<Preview> compared(Caller caller, Checked checked, Pack pack) {
        return policies.preview(caller, PackChange.use(caller.tenant(), Mode.ACTIVE, 0, pack))
                .map(difference -> (Preview) new Preview.Good(checked, pack, difference))
                .recover(failure -> failure instanceof IllegalArgumentException
                        ? Future.succeededFuture(new Preview.Conflict(checked, String.valueOf(failure.getMessage())))
                        : Future.failedFuture(failure));
    }

    /** Stores a version that may be published, which judges nobody yet; {@code null} if there are too many packs. */
    public Future<@Nullable PackVersion> publish(Caller caller, PackFiles files, Preview.Good good) {
        Author by = Author.of(caller, clock.instant());
        var made = new PackVersion(
                caller.tenant(),
                good.pack().name(),
                0,
                good.pack().version(),
                good.pack().digest(),
                files.json(),
                good.checked().report().toString(),
                good.difference().json(),
                by.at(),
                by.key(),
                by.person());
        return changes.make(caller.tenant(), caller.keyId(), connection -> PackStore.publish(connection, made))
                .onSuccess(stored -> {
                    if (stored != null) {
                        LOG.info(
                                "version {} of the pack `{}` was published by {}: {}",
                                stored.version(),
                                stored.name(),
                                stored.by(),
                                stored.digest());
                    }
                });
    }

    /** Makes something of a version, or proposes it if it lets more through. */
    public Future<Result<InForce>> use(Caller caller, Mode mode, long version, Pack pack, LongPredicate precondition) {
        return make(caller, PackChange.use(caller.tenant(), mode, version, pack), precondition);
    }

    /**
     * The same of a version that is stored, or of none.
     *
     * @param version which one; {@code null} for all of the pack where the mode is off
     * @return what came of it; {@code null} if there is no such version
     */
    public Future<@Nullable Result<InForce>> use(
            Caller caller, String name, Mode mode, @Nullable Long version, LongPredicate precondition) {
        if (version == null) {
            return store.find(caller.tenant(), name)
                    .compose(found -> found == null
                            ? Future.succeededFuture()
                            : make(caller, PackChange.off(caller.tenant(), name, null), precondition)
                                    .map(done -> (@Nullable Result<InForce>) done));
        }
        return store.version(caller.tenant(), name, version).compose(found -> {
            if (found == null) {
                return Future.succeededFuture();
            }
            if (mode == Mode.OFF) {
                return make(caller, PackChange.off(caller.tenant(), name, version), precondition)
                        .map(done -> (@Nullable Result<InForce>) done);
            }
            return PackChange.pack(published, vertx, found)
                    .compose(pack -> pack == null
                            ? Future.succeededFuture(refused("this version does not pass this server's check any more"))
                            : use(caller, mode, version, pack, precondition))
                    .map(done -> (@Nullable Result<InForce>) done);
        });
    }

    private Future<Result<InForce>> make(Caller caller, PackChange change, LongPredicate precondition) {
        return policies.make(caller, change, precondition)
                .recover(failure -> failure instanceof IllegalArgumentException
                        ? Future.succeededFuture(refused(String.valueOf(failure.getMessage())))
                        : Future.failedFuture(failure));
    }

    private static Result<InForce> refused(String why) {
        return new Result.Refused<>(new JsonMistake("/version", Code.Y001, why, null));
    }
}
