package dev.countersign.server;

import dev.countersign.server.postgres.PostgresAddress;
import io.vertx.core.Vertx;
import io.vertx.core.net.NetClientOptions;
import io.vertx.pgclient.PgBuilder;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.PoolOptions;
import java.util.concurrent.TimeUnit;
import org.postgresql.ds.PGSimpleDataSource;

/** The ways to one database: a pool for queries, a connection for notifications, JDBC for the shipper of the log. */
record Connections(PostgresAddress database) {
    Pool pool(Vertx vertx) {
        // A host that vanished without a word is noticed, or its connections would wait for ever.
        var network = new NetClientOptions()
                .setConnectTimeout(5_000)
                .setTcpKeepAlive(true)
                .setTcpUserTimeout(10_000);
        return PgBuilder.pool()
                .connectingTo(options())
                .with(network)
                .with(new PoolOptions()
                        .setMaxSize(8)
                        .setConnectionTimeout(5)
                        .setConnectionTimeoutUnit(TimeUnit.SECONDS))
                .using(vertx)
                .build();
    }

    PgConnectOptions options() {
        return new PgConnectOptions()
                .setHost(database.host())
                .setPort(database.port())
                .setDatabase(database.database())
                .setUser(database.user())
                .setPassword(database.password())
                .setSslMode(database.sslMode())
                .setCachePreparedStatements(true)
                .setReconnectAttempts(0);
    }

    PGSimpleDataSource dataSource() {
        var source = new PGSimpleDataSource();
        source.setUrl(database.jdbcUrl());
        source.setUser(database.user());
        source.setPassword(database.password());
        source.setConnectTimeout(5);
        source.setSocketTimeout(60);
        source.setApplicationName("countersign-shipper");
        return source;
    }
}
