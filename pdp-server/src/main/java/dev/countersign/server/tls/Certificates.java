package dev.countersign.server.tls;

import dev.countersign.server.config.TlsFiles;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.net.ServerSSLOptions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The certificate that the server shows, as its two files have it. New files are taken without a restart; if they cannot be
 * used, the certificate before them goes on, and that is said.
 */
public final class Certificates {
    private static final Logger LOG = LoggerFactory.getLogger(Certificates.class);
    private static final Set<String> PROTOCOLS = Set.of("TLSv1.2", "TLSv1.3");
    private static final Duration LOOK = Duration.ofSeconds(1);
    /** So long before its end a certificate is worth a warning. */
    private static final Duration SOON = Duration.ofDays(7);

    private final Vertx vertx;
    private final TlsFiles files;
    private final InstantSource clock;
    private volatile ServerCertificate shown;
    private volatile @Nullable String problem;
    private @Nullable Look last;

    /** What a look at the files gave: their content, or why there is none. */
    private record Look(@Nullable PemFiles found, @Nullable String unreadable) {
        static Look at(TlsFiles files) {
            try {
                return new Look(PemFiles.read(files), null);
            } catch (IllegalArgumentException e) {
                return new Look(null, e.getMessage());
            }
        }
    }

    private Certificates(Vertx vertx, TlsFiles files, InstantSource clock, ServerCertificate shown) {
        this.vertx = vertx;
        this.files = files;
        this.clock = clock;
        this.shown = shown;
    }

    /**
     * The certificate that these files hold now.
     *
     * @throws IllegalArgumentException if it cannot be shown to clients; the message says what to do
     */
    public static Certificates open(Vertx vertx, TlsFiles files, InstantSource clock) {
        var certificate = ServerCertificate.of(PemFiles.read(files), vertx, clock.instant());
        LOG.info("HTTPS only, as {}", certificate);
        return new Certificates(vertx, files, clock, certificate);
    }

    /** Has a server speak HTTPS with it, and nothing else: TLS 1.2 or newer, HTTP/2 for whoever asks for it (ALPN). */
    public void secure(HttpServerOptions options) {
        options.setSsl(true)
                .setUseAlpn(true)
                .setEnabledSecureTransportProtocols(PROTOCOLS)
                .setKeyCertOptions(shown.options());
    }

    /** Looks at the files from now on, until Vert.x is closed; {@code show} has a listening server show what they hold. */
    public void follow(Function<ServerSSLOptions, Future<Boolean>> show) {
        vertx.setTimer(
                LOOK.toMillis(),
                timer -> vertx.executeBlocking(this::changed)
                        .compose(changed -> changed == null ? Future.succeededFuture() : show(changed, show))
                        .onFailure(
                                failure -> refuse("the certificate could not be looked after: " + failure.getMessage()))
                        .onComplete(done -> follow(show)));
    }

    /** The certificate that the files hold, if it is another one, it can be shown, and they were the same a moment ago. */
    private @Nullable ServerCertificate changed() {
        Look look = Look.at(files);
        boolean settled = look.equals(last);
        last = look;
        PemFiles found = look.found();
        if (shown.files().equals(found)) {
            problem = null;
            return null;
        }
        if (!settled) {
            return null;
        }
        if (found == null) {
            refuse(look.unreadable());
            return null;
        }
        try {
            return ServerCertificate.of(found, vertx, clock.instant());
        } catch (IllegalArgumentException e) {
            refuse(e.getMessage());
            return null;
        }
    }

    private Future<Boolean> show(ServerCertificate changed, Function<ServerSSLOptions, Future<Boolean>> show) {
        var options = new ServerSSLOptions();
        options.setUseAlpn(true).setEnabledSecureTransportProtocols(PROTOCOLS).setKeyCertOptions(changed.options());
        return show.apply(options).onSuccess(done -> {
            shown = changed;
            problem = null;
            LOG.info("a new certificate is shown: {}", changed);
        });
    }

    private void refuse(@Nullable String why) {
        if (why != null && !why.equals(problem)) {
            LOG.error("the certificate before goes on: {}", why);
            problem = why;
        }
    }

    /** What is wrong with the files, or that the certificate ends soon; {@code null} if all is well. */
    public @Nullable String problem() {
        String refused = problem;
        Instant end = shown.end();
        if (refused != null) {
            return "the certificate before goes on, until " + end + ": " + refused;
        }
        return clock.instant().isAfter(end.minus(SOON)) ? "the certificate ends at " + end : null;
    }

    /** How long the certificate that is shown is good still. */
    public Duration left() {
        return Duration.between(clock.instant(), shown.end());
    }
}
