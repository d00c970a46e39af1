package dev.countersign.tools;

import java.util.Map;
import java.util.Optional;

/**
 * The answer to a request that went out. Its text is the status alone.
 *
 * @param headers one value for each name, names in any case
 * @param body the whole body, empty for none
 */
@SuppressWarnings("ArrayRecordComponent") // handed on at once, never compared
public record EgressResponse(int status, Map<String, String> headers, byte[] body) {
    public EgressResponse {
        headers = Map.copyOf(headers);
    }

    /** The value of a header, its name in any case. */
    public Optional<String> header(String name) {
        return headers.entrySet().stream()
                .filter(header -> header.getKey().equalsIgnoreCase(name))
                .map(Map.Entry::getValue)
                .findFirst();
    }

    @Override
    public String toString() {
        return "answer with status " + status;
    }
}
