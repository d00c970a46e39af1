package dev.countersign.server.decisionlog;

import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * What a decision log needs to know.
 *
 * @param directory where the segments are; one server at a time
 * @param server the name of this server, written into every header
 * @param keepSegments whether segments stay on disk after they are completely in the table
 * @param drain how long closing waits for the rest to reach the table; what does not is shipped after the next start
 * @param clock the time for headers and for pauses between attempts
 * @param ids the source of segment ids: UUIDv7
 */
public record LogSettings(
        Path directory, String server, boolean keepSegments, Duration drain, InstantSource clock, Supplier<UUID> ids) {
    public LogSettings {
        if (server.isBlank() || server.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("the decision log needs the name of this server");
        }
    }
}
