package dev.countersign.server;

import dev.countersign.server.config.ServerConfig;
import dev.countersign.server.identity.DemoKeys;
import dev.countersign.server.identity.KeyRing;
import dev.countersign.server.identity.KeyStore;
import dev.countersign.server.live.LiveFeed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a start does about keys: somebody has to be able to call, and demo keys are for loopback only. */
record FirstStart(ServerConfig config, SecureRandom random) {
    private static final Logger LOG = LoggerFactory.getLogger(FirstStart.class);

    /**
     * Makes the demo tenant and its keys on an empty database; else refuses to listen beyond loopback while demo keys are good.
     *
     * @return the keys that this start made
     */
    List<KeyStore.NewKey> run(KeyStore store, KeyRing known, LiveFeed fresh) throws IOException {
        if (!config.loopback()) {
            refuseDemoKeys(known, Server.await(store.ofFirstStart(), "reading the keys"));
        }
        if (known.byHash().values().stream().anyMatch(caller -> caller.tenant() == null)) {
            return List.of();
        }
        if (Server.await(store.any(), "reading the keys")) {
            LOG.warn("no key of the operator is good any more; docs/operator.md says how to get one back");
            return List.of();
        }
        // The file comes first: keys that nobody can read would be of no use.
        Path file = config.data().resolve("keys.json");
        List<KeyStore.NewKey> drawn = DemoKeys.draw(random);
        DemoKeys.write(file, drawn);
        boolean made = Server.await(store.found(DemoKeys.TENANT, drawn), "making the demo keys");
        if (!made) {
            Files.delete(file);
        }
        Server.await(fresh.look(), "reading the keys");
        return made ? drawn : List.of();
    }

    private void refuseDemoKeys(KeyRing known, List<String> demo) {
        if (known.byHash().isEmpty() || !demo.isEmpty()) {
            throw new IllegalArgumentException("demo keys are for loopback only, and "
                    + (known.byHash().isEmpty()
                            ? "no other is good: start on 127.0.0.1 and make some with `countersign keys`"
                            : "some are still good: revoke " + String.join(", ", demo)
                                    + " with `countersign keys` while the server listens on 127.0.0.1")
                    + ", then listen on " + config.host());
        }
    }
}
