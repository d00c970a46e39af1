package dev.countersign.tools;

import java.net.URI;
import java.time.Duration;
import java.util.Map;

/**
 * A request on its way out. Its text names no header value, no query and no body, for those may hold secrets.
 *
 * @param body the bytes to send, empty for none
 * @param timeout how long it may take, from the start to the end of the answer
 * @param maxAnswerBytes how long the answer's body may be
 */
@SuppressWarnings("ArrayRecordComponent") // handed on at once, never compared
public record EgressRequest(
        String method, URI uri, Map<String, String> headers, byte[] body, Duration timeout, int maxAnswerBytes) {
    public EgressRequest {
        headers = Map.copyOf(headers);
    }

    @Override
    public String toString() {
        return method + " " + uri.getScheme() + "://" + uri.getRawAuthority() + uri.getRawPath();
    }
}
