package dev.countersign.server.egress;

import io.vertx.core.buffer.Buffer;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a called server answered, whatever its status; a redirect is not followed.
 *
 * @param status the HTTP status
 * @param headers the values of each header, by its name in lower case
 * @param body the whole body, as it was sent
 */
public record Answer(int status, Map<String, List<String>> headers, Buffer body) {
    /** The first value of a header, or {@code null}. */
    public @Nullable String header(String name) {
        List<String> values = headers.get(name.toLowerCase(Locale.ROOT));
        return values == null || values.isEmpty() ? null : values.get(0);
    }

    /** Whether the status is 2xx. */
    public boolean successful() {
        return status >= 200 && status < 300;
    }
}
