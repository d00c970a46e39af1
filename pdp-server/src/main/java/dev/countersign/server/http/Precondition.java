package dev.countersign.server.http;

import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongPredicate;

/**
 * What {@code If-Match} and {@code If-None-Match} (RFC 9110, section 13.1) demand of the version at hand, 0 for none. A
 * tag that this server never gave, a weak one included, matches nothing.
 */
final class Precondition implements LongPredicate {
    private final List<String> match;
    private final List<String> noneMatch;

    Precondition(MultiMap headers) {
        this.match = tags(headers, HttpHeaders.IF_MATCH);
        this.noneMatch = tags(headers, HttpHeaders.IF_NONE_MATCH);
    }

    private static List<String> tags(MultiMap headers, CharSequence header) {
        return headers.getAll(header).stream()
                .flatMap(value -> Arrays.stream(value.split(",", -1)))
                .map(String::trim)
                .toList();
    }

    /** Answers that the version at hand, 0 for none, may not be changed: {@code detail} says which it is. */
    static void failed(RoutingContext ctx, long version, String detail) {
        ctx.response().putHeader(HttpHeaders.ETAG, SettingView.etag(version));
        Problems.send(ctx, 412, "precondition_failed", detail);
    }

    @Override
    public boolean test(long version) {
        return (match.isEmpty() || named(match, version)) && !named(noneMatch, version);
    }

    /** Whether what has this tag, in quotation marks, is what {@code If-Match} names, or it names nothing. */
    boolean matches(String tag) {
        return match.isEmpty() || match.contains(tag) || match.contains("*");
    }

    private static boolean named(List<String> tags, long version) {
        return tags.contains(SettingView.etag(version)) || version > 0 && tags.contains("*");
    }
}
