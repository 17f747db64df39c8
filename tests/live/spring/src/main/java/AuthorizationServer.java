// A Spring authorization server on free loopback ports, with fresh keys at every start.
//
// Prints one line of JSON, {"http": ..., "https": ...}, once it listens: the ports. The issuer is the address that a
// request came to, so each port is an issuer. https asks for a client certificate.
//
// What to ask it for: the client machine-<ALG> gets access tokens that are signed with that algorithm, for
// https://api.example; rfc9068 gets the type at+jwt; plain gets what Spring makes if nobody customizes it; opaque gets
// no JWT; mtls authenticates with a certificate (CN=client), and its tokens are bound to it.
// POST /test/keys/<ALG> makes a new key for an algorithm, DELETE withdraws all keys but the newest.

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.proc.SecurityContext;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.catalina.connector.Connector;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.boot.tomcat.TomcatWebServer;
import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.boot.web.server.servlet.context.ServletWebServerApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.event.EventListener;
import org.springframework.core.annotation.Order;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.oauth2.core.AuthorizationGrantType;
import org.springframework.security.oauth2.core.ClientAuthenticationMethod;
import org.springframework.security.oauth2.jose.jws.SignatureAlgorithm;
import org.springframework.security.oauth2.server.authorization.client.InMemoryRegisteredClientRepository;
import org.springframework.security.oauth2.server.authorization.client.RegisteredClient;
import org.springframework.security.oauth2.server.authorization.client.RegisteredClientRepository;
import org.springframework.security.oauth2.server.authorization.settings.ClientSettings;
import org.springframework.security.oauth2.server.authorization.settings.OAuth2TokenFormat;
import org.springframework.security.oauth2.server.authorization.settings.TokenSettings;
import org.springframework.security.oauth2.server.authorization.token.JwtEncodingContext;
import org.springframework.security.oauth2.server.authorization.token.OAuth2TokenCustomizer;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;

@SpringBootConfiguration
@EnableAutoConfiguration
@RestController
public class AuthorizationServer {
  static final List<String> ALGORITHMS =
      List.of("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512");

  /** The keys of each kind, the newest first. */
  private final Map<String, List<JWK>> keys = new ConcurrentHashMap<>();

  public static void main(String[] arguments) {
    SpringApplication.run(AuthorizationServer.class, arguments);
  }

  AuthorizationServer() throws JOSEException {
    for (String algorithm : List.of("RS256", "ES256", "ES384", "ES512")) {
      addKey(algorithm);
    }
  }

  @PostMapping("/test/keys/{algorithm}")
  String addKey(@PathVariable("algorithm") String algorithm) throws JOSEException {
    // One RSA key, without "alg", serves all of RS256 to PS512, as RFC 7517 section 4.4 allows.
    JWK key =
        switch (algorithm) {
          case "ES256" -> ec(Curve.P_256);
          case "ES384" -> ec(Curve.P_384);
          case "ES512" -> ec(Curve.P_521);
          default -> new RSAKeyGenerator(2048).keyUse(KeyUse.SIGNATURE).keyIDFromThumbprint(true).generate();
        };
    List<JWK> all = new ArrayList<>(List.of(key));
    all.addAll(keys.getOrDefault(kind(algorithm), List.of()));
    keys.put(kind(algorithm), all);
    return key.getKeyID();
  }

  @DeleteMapping("/test/keys/{algorithm}")
  void withdrawOldKeys(@PathVariable("algorithm") String algorithm) {
    keys.computeIfPresent(kind(algorithm), (kind, all) -> List.of(all.get(0)));
  }

  private static JWK ec(Curve curve) throws JOSEException {
    return new ECKeyGenerator(curve).keyUse(KeyUse.SIGNATURE).keyIDFromThumbprint(true).generate();
  }

  private static String kind(String algorithm) {
    return algorithm.startsWith("ES") ? algorithm : "RSA";
  }

  @Bean
  JWKSource<SecurityContext> jwkSource() {
    return (selector, context) -> selector.select(new JWKSet(keys.values().stream().flatMap(List::stream).toList()));
  }

  @Bean
  OAuth2TokenCustomizer<JwtEncodingContext> tokenCustomizer() {
    return (context) -> {
      String client = context.getRegisteredClient().getClientId();
      String algorithm = client.startsWith("machine-") ? client.substring("machine-".length()) : "RS256";
      context
          .getJwsHeader()
          .algorithm(SignatureAlgorithm.from(algorithm))
          .keyId(keys.get(kind(algorithm)).get(0).getKeyID());
      if (!client.equals("plain")) {
        context.getClaims().audience(List.of("https://api.example"));
      }
      if (client.equals("rfc9068")) {
        context.getJwsHeader().type("at+jwt");
      }
    };
  }

  @Bean
  RegisteredClientRepository clients() {
    List<RegisteredClient> clients = new ArrayList<>();
    for (String algorithm : ALGORITHMS) {
      clients.add(client("machine-" + algorithm, tokens()).build());
    }
    clients.add(client("rfc9068", tokens()).build());
    clients.add(client("plain", tokens()).build());
    clients.add(client("opaque", tokens().accessTokenFormat(OAuth2TokenFormat.REFERENCE)).build());
    clients.add(
        RegisteredClient.withId("mtls")
            .clientId("mtls")
            .clientAuthenticationMethod(ClientAuthenticationMethod.TLS_CLIENT_AUTH)
            .authorizationGrantType(AuthorizationGrantType.CLIENT_CREDENTIALS)
            .scope("read")
            .clientSettings(ClientSettings.builder().x509CertificateSubjectDN("CN=client").build())
            .tokenSettings(tokens().x509CertificateBoundAccessTokens(true).build())
            .build());
    return new InMemoryRegisteredClientRepository(clients);
  }

  private static TokenSettings.Builder tokens() {
    return TokenSettings.builder().accessTokenTimeToLive(Duration.ofMinutes(5));
  }

  private static RegisteredClient.Builder client(String name, TokenSettings.Builder tokens) {
    return RegisteredClient.withId(name)
        .clientId(name)
        .clientSecret("{noop}" + name + "-secret")
        .clientAuthenticationMethod(ClientAuthenticationMethod.CLIENT_SECRET_BASIC)
        .authorizationGrantType(AuthorizationGrantType.CLIENT_CREDENTIALS)
        .scope("read")
        .scope("write")
        .tokenSettings(tokens.build());
  }

  @Bean
  @Order(1)
  SecurityFilterChain testEndpoints(HttpSecurity http) throws Exception {
    return http.securityMatcher("/test/**")
        .csrf((csrf) -> csrf.disable())
        .authorizeHttpRequests((requests) -> requests.anyRequest().permitAll())
        .build();
  }

  @Bean
  @Order(2)
  SecurityFilterChain oauthEndpoints(HttpSecurity http) throws Exception {
    return http.oauth2AuthorizationServer((server) -> server.oidc((oidc) -> {}))
        .authorizeHttpRequests((requests) -> requests.anyRequest().authenticated())
        .build();
  }

  /** A second connector, without TLS. */
  @Bean
  WebServerFactoryCustomizer<TomcatServletWebServerFactory> http() {
    return (factory) -> {
      Connector connector = new Connector();
      connector.setPort(0);
      connector.setProperty("address", "127.0.0.1");
      factory.addAdditionalConnectors(connector);
    };
  }

  @EventListener
  void tellPorts(ApplicationReadyEvent event) {
    var context = (ServletWebServerApplicationContext) event.getApplicationContext();
    var server = (TomcatWebServer) context.getWebServer();
    Connector[] connectors = server.getTomcat().getService().findConnectors();
    int http = 0;
    for (Connector connector : connectors) {
      if (!connector.getSecure()) {
        http = connector.getLocalPort();
      }
    }
    System.out.printf("{\"http\": %d, \"https\": %d}%n", http, server.getPort());
  }
}
