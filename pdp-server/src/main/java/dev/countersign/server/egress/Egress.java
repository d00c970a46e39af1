package dev.countersign.server.egress;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.net.TrustOptions;
import java.net.InetAddress;
import java.net.URI;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The only HTTP client of the server. It calls what {@link EgressRules} allow and nothing else: the name is resolved once,
 * every address of it is checked, and a checked address is what is connected to, with the name in {@code Host}, SNI and the
 * check of the certificate. Redirects are not followed; there are no proxies and no cookies.
 *
 * <p>May be used from any thread; an answer comes on the context that called.
 */
public final class Egress {
    private static final int CONNECT_MILLIS = 5_000;
    private static final int MAX_HEADER_BYTES = 16 * 1024;
    private static final int CONNECTIONS_OF_HOST = 32;
    private static final int WAITING_OF_HOST = 1_000;
    private static final int RESOLVING = 4;

    private final Vertx vertx;
    private final EgressRules rules;
    private final Resolver resolver;
    private final WorkerExecutor resolving;
    private final HttpClient client;

    /**
     * A client that is closed with {@code vertx}.
     *
     * @param trust the authorities whose certificates are trusted; {@code null} for those of the Java platform
     */
    public Egress(Vertx vertx, EgressRules rules, @Nullable TrustOptions trust) {
        this(vertx, rules, trust, host -> List.of(InetAddress.getAllByName(host)));
    }

    Egress(Vertx vertx, EgressRules rules, @Nullable TrustOptions trust, Resolver resolver) {
        this.vertx = vertx;
        this.rules = rules;
        this.resolver = resolver;
        this.resolving = vertx.createSharedWorkerExecutor("egress-names", RESOLVING);
        var options = new HttpClientOptions()
                .setProtocolVersion(HttpVersion.HTTP_1_1)
                .setConnectTimeout(CONNECT_MILLIS)
                .setSslHandshakeTimeout(CONNECT_MILLIS)
                .setSslHandshakeTimeoutUnit(TimeUnit.MILLISECONDS)
                .setVerifyHost(true)
                .setDecompressionSupported(false)
                .setMaxHeaderSize(MAX_HEADER_BYTES)
                .setShared(false);
        if (trust != null) {
            options.setTrustOptions(trust);
        }
        this.client = vertx.createHttpClient(
                options, new PoolOptions().setHttp1MaxSize(CONNECTIONS_OF_HOST).setMaxWaitQueueSize(WAITING_OF_HOST));
    }

    /** Where this client calls. */
    public EgressRules rules() {
        return rules;
    }

    /**
     * Makes a call once. It fails with
     *
     * <ul>
     *   <li>{@link RefusedDestinationException} if the rules do not allow it; nothing was sent;
     *   <li>{@link java.net.UnknownHostException} or {@link java.net.ConnectException} if nothing could be reached; nothing
     *       was sent;
     *   <li>{@link java.net.http.HttpTimeoutException} if the answer was not there in time;
     *   <li>another {@link java.io.IOException} if TLS failed, the connection broke, or the answer was not HTTP or too long.
     * </ul>
     */
    public Future<Answer> send(Call call) {
        Context context = vertx.getOrCreateContext();
        Promise<Answer> answer = Promise.promise();
        context.runOnContext(start -> new Exchange(vertx, client, call, answer).run(admitted(call.uri())));
        return answer.future();
    }

    /**
     * Tells whether a URL may be called now, with the name of its host resolved. It fails as {@link #send} does before
     * anything is sent.
     */
    public Future<Void> check(URI uri) {
        return admitted(uri).mapEmpty();
    }

    private Future<Admitted> admitted(URI uri) {
        EgressRules.Destination to;
        try {
            to = rules.destination(uri);
        } catch (RefusedDestinationException e) {
            return Future.failedFuture(e);
        }
        @Nullable InetAddress literal = Network.literal(to.host());
        Future<List<InetAddress>> found = literal != null
                ? Future.succeededFuture(List.of(literal))
                : resolving.executeBlocking(() -> resolver.resolve(to.host()), false);
        return found.compose(addresses -> {
            try {
                rules.check(to, addresses);
                return Future.succeededFuture(new Admitted(to, addresses));
            } catch (RefusedDestinationException e) {
                return Future.failedFuture(e);
            }
        });
    }

    /** A destination whose addresses, at least one, were all checked. */
    record Admitted(EgressRules.Destination to, List<InetAddress> addresses) {}
}
