package dev.countersign.server.egress;

import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.net.SocketAddress;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpTimeoutException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** One call under way, on one context. Whatever comes first ends it: the answer, a failure, or its time. */
final class Exchange {
    private final Vertx vertx;
    private final HttpClient client;
    private final Call call;
    private final Promise<Answer> answer;
    private @Nullable HttpClientRequest request;

    Exchange(Vertx vertx, HttpClient client, Call call, Promise<Answer> answer) {
        this.vertx = vertx;
        this.client = client;
        this.call = call;
        this.answer = answer;
    }

    void run(Future<Egress.Admitted> admitted) {
        long timer = vertx.setTimer(
                call.timeout().toMillis(),
                late -> end(new HttpTimeoutException(
                        "no whole answer within " + call.timeout().toMillis() + " ms")));
        answer.future().onComplete(ended -> vertx.cancelTimer(timer));
        admitted.compose(to -> connect(to, 0)).onSuccess(this::send).onFailure(this::end);
    }

    /** Connects to the addresses one after the other, as long as nobody is there. */
    private Future<HttpClientRequest> connect(Egress.Admitted admitted, int index) {
        if (answer.future().isComplete()) {
            return Future.failedFuture(new IOException("the call has ended"));
        }
        EgressRules.Destination to = admitted.to();
        var checked = new InetSocketAddress(admitted.addresses().get(index), to.port());
        var options = new RequestOptions()
                .setMethod(call.method())
                .setServer(SocketAddress.inetSocketAddress(checked))
                .setHost(to.host())
                .setPort(to.port())
                .setSsl(!to.plain())
                .setFollowRedirects(false)
                .setURI(target(call.uri()));
        call.headers().forEach(options::addHeader);
        return client.request(options)
                .recover(failure -> failure instanceof ConnectException
                                && index + 1 < admitted.addresses().size()
                        ? connect(admitted, index + 1)
                        : Future.failedFuture(failure));
    }

    private static String target(URI uri) {
        String path = uri.getRawPath() == null || uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
        return uri.getRawQuery() == null ? path : path + "?" + uri.getRawQuery();
    }

    private void send(HttpClientRequest connected) {
        request = connected;
        if (answer.future().isComplete()) {
            connected.reset();
            return;
        }
        connected.response().onSuccess(this::read).onFailure(this::end);
        Future<Void> sent = call.body().length() == 0 ? connected.end() : connected.end(call.body());
        sent.onFailure(this::end);
    }

    private void read(HttpClientResponse response) {
        Buffer body = Buffer.buffer();
        response.exceptionHandler(this::end);
        response.handler(part -> {
            if (part.length() > call.maxAnswerBytes() - body.length()) {
                end(new IOException("the answer is longer than " + call.maxAnswerBytes() + " bytes"));
            } else if (!answer.future().isComplete()) {
                body.appendBuffer(part);
            }
        });
        response.endHandler(
                whole -> answer.tryComplete(new Answer(response.statusCode(), headers(response.headers()), body)));
    }

    private static Map<String, List<String>> headers(MultiMap received) {
        var headers = new LinkedHashMap<String, List<String>>();
        received.forEach(
                (name, value) -> headers.computeIfAbsent(name.toLowerCase(Locale.ROOT), first -> new ArrayList<>())
                        .add(value));
        return headers;
    }

    /** Fails the call, unless it has ended, and drops its connection, which is in no state to be used again. */
    private void end(Throwable failure) {
        if (answer.tryFail(told(failure)) && request != null) {
            request.reset();
        }
    }

    private static IOException told(Throwable failure) {
        if (failure instanceof IOException known) {
            return known;
        }
        if (failure instanceof TimeoutException) {
            return new HttpTimeoutException(Objects.toString(failure.getMessage(), "too late"));
        }
        return new IOException(Objects.toString(failure.getMessage(), failure.toString()), failure);
    }
}
