package dev.countersign.server.signing;

import dev.countersign.server.live.Changes;
import io.vertx.core.Future;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Rotates the keys that sign, at the operator's wish.
 *
 * @param store where they are
 * @param changes makes the transactions
 */
public record SigningKeyRotation(SigningKeyStore store, Changes changes) {
    private static final Logger LOG = LoggerFactory.getLogger(SigningKeyRotation.class);

    /** All keys that are kept, the newest first. */
    public Future<List<StoredSigningKey>> list() {
        return store.list();
    }

    /**
     * Makes a key that signs from now on.
     *
     * @param by the visible prefix of a key of the operator
     * @param revoke whether nothing is good any more that the keys before it have signed, or will
     * @return all keys that are kept, the newest first, when this server goes by them
     */
    public Future<List<StoredSigningKey>> rotate(String by, boolean revoke) {
        return changes.make(null, by, connection -> store.rotate(connection, by, revoke))
                .onSuccess(done -> LOG.warn(
                        "the signing key was rotated by {}{}", by, revoke ? ", and all before it revoked" : ""))
                .compose(done -> store.list());
    }
}
