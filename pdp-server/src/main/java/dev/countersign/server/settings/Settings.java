package dev.countersign.server.settings;

import dev.countersign.server.live.Live;
import dev.countersign.server.live.LiveFeed;
import io.vertx.core.Future;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/** The settings of all tenants: read from memory, changed in PostgreSQL. */
public final class Settings {
    private final SettingsStore store;
    private final Live<SettingsSnapshot> live;
    private final LiveFeed feed;

    /** The settings that {@code feed} keeps fresh in {@code live} and that {@code store} changes. */
    public Settings(SettingsStore store, Live<SettingsSnapshot> live, LiveFeed feed) {
        this.store = store;
        this.live = live;
        this.feed = feed;
    }

    /** The settings in force. */
    public SettingsSnapshot current() {
        return live.get();
    }

    /**
     * Changes a setting; see {@link SettingsStore#write}.
     *
     * @return done when the change is committed and this server judges by it; failed if either is not sure
     */
    public Future<SettingsStore.Written> write(
            String tenant, String name, @Nullable String json, String by, LongPredicate precondition) {
        return store.write(tenant, name, json, by, precondition)
                .compose(written -> written instanceof SettingsStore.Written.Done
                        ? feed.look().map(written)
                        : Future.succeededFuture(written));
    }
}
