using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.OAuth;

/// <summary>What is no proof of possession, at the token endpoint: the negative set of FAPI 2.0, and more.</summary>
public sealed class DpopRefusalTests(DemoServer server) : IClassFixture<DemoServer>
{
    private const string BadProof = "invalid_dpop_proof";

    private readonly DpopKey key = DpopKey.New();

    private DpopCalls Calls => new(server, key);

    public static TheoryData<string, Action<JsonObject, JsonObject>, string> BadHeaders => new()
    {
        { "no typ", static (header, _) => header.Remove("typ"), "ATR1141" },
        { "typ of a JWT", static (header, _) => header["typ"] = "JWT", "ATR1141" },
        { "typ of an access token", static (header, _) => header["typ"] = "at+jwt", "ATR1141" },
        { "typ in another case", static (header, _) => header["typ"] = "DPOP+JWT", "ATR1141" },
        { "typ that is no text", static (header, _) => header["typ"] = 1, "ATR1141" },
        { "an extension to be understood", static (header, _) => header["crit"] = new JsonArray("exp"), "ATR1141" },
        { "no alg", static (header, _) => header.Remove("alg"), "ATR1142" },
        { "alg none", static (header, _) => header["alg"] = "none", "ATR1142" },
        { "a symmetric alg", static (header, _) => header["alg"] = "HS256", "ATR1142" },
        { "an alg that is not listed", static (header, _) => header["alg"] = "ES384", "ATR1142" },
        { "the alg of another kind of key", static (header, _) => header["alg"] = "RS256", "ATR1142" },
        { "alg in another case", static (header, _) => header["alg"] = "es256", "ATR1142" },
        { "no jwk", static (header, _) => header.Remove("jwk"), "ATR1142" },
        { "jwk as text", static (header, _) => header["jwk"] = header["jwk"]!.ToJsonString(), "ATR1142" },
        { "an empty jwk", static (header, _) => header["jwk"] = new JsonObject(), "ATR1142" },
        { "a symmetric jwk", static (header, _) => header["jwk"] = new JsonObject { ["kty"] = "oct", ["k"] = "AAAA" }, "ATR1142" },
        { "a jwk with an alg of its own", static (header, _) => header["jwk"]!["alg"] = "RS256", "ATR1142" },
        { "a jwk to encrypt with", static (header, _) => header["jwk"]!["use"] = "enc", "ATR1142" },
        { "a jwk of another curve", static (header, _) => header["jwk"]!["crv"] = "P-384", "ATR1142" },
        { "a jwk without y", static (header, _) => ((JsonObject)header["jwk"]!).Remove("y"), "ATR1142" },
        { "a jwk with a number for a text", static (header, _) => header["jwk"]!["x"] = 1, "ATR1142" },
        { "a jwk off its curve", static (header, _) => header["jwk"]!["x"] = header["jwk"]!["y"]!.GetValue<string>(), "ATR1142" },
        { "a jwk with padding", static (header, _) => header["jwk"]!["x"] += "=", "ATR1142" },
        { "somebody else's jwk", static (header, _) => header["jwk"] = DpopKey.New().Jwk, "ATR1143" },
    };

    public static TheoryData<string, Action<JsonObject, JsonObject>, string> BadClaims => new()
    {
        { "no jti", static (_, claims) => claims.Remove("jti"), "ATR1144" },
        { "an empty jti", static (_, claims) => claims["jti"] = "", "ATR1144" },
        { "a jti that is too long", static (_, claims) => claims["jti"] = new string('x', 257), "ATR1144" },
        { "a jti that is a number", static (_, claims) => claims["jti"] = 1, "ATR1144" },
        { "no htm", static (_, claims) => claims.Remove("htm"), "ATR1144" },
        { "no htu", static (_, claims) => claims.Remove("htu"), "ATR1144" },
        { "htu as a list", static (_, claims) => claims["htu"] = new JsonArray(claims["htu"]!.GetValue<string>()), "ATR1144" },
        { "no iat", static (_, claims) => claims.Remove("iat"), "ATR1144" },
        { "iat as text", static (_, claims) => claims["iat"] = claims["iat"]!.ToString(), "ATR1144" },
        { "iat before 1970", static (_, claims) => claims["iat"] = -1, "ATR1144" },
        { "iat beyond all time", static (_, claims) => claims["iat"] = 1e300, "ATR1144" },
        { "exp as text", static (_, claims) => claims["exp"] = "never", "ATR1144" },
        { "nbf as null", static (_, claims) => claims["nbf"] = null, "ATR1144" },
        { "a nonce that is no text", static (_, claims) => claims["nonce"] = 1, "ATR1144" },
        { "another method", static (_, claims) => claims["htm"] = "GET", "ATR1145" },
        { "the method in lower case", static (_, claims) => claims["htm"] = "post", "ATR1145" },
        { "another endpoint", static (_, claims) => claims["htu"] = claims["htu"]!.GetValue<string>().Replace("/token", "/userinfo", StringComparison.Ordinal), "ATR1145" },
        { "another realm", static (_, claims) => claims["htu"] = claims["htu"]!.GetValue<string>().Replace("/acme/", "/globex/", StringComparison.Ordinal), "ATR1145" },
        { "another host", static (_, claims) => claims["htu"] = "https://evil.example/t/acme/token", "ATR1145" },
        { "the alias of the endpoint", static (_, claims) => claims["htu"] = claims["htu"]!.GetValue<string>().Replace("/token", "/oauth2/token", StringComparison.Ordinal), "ATR1145" },
        { "a minute and a second ago", static (_, claims) => claims["iat"] = claims["iat"]!.GetValue<long>() - 61, "ATR1146" },
        { "eleven seconds ahead", static (_, claims) => claims["iat"] = claims["iat"]!.GetValue<long>() + 11, "ATR1146" },
        { "in milliseconds", static (_, claims) => claims["iat"] = claims["iat"]!.GetValue<long>() * 1000, "ATR1144" },
        { "over by its own word", static (_, claims) => claims["exp"] = claims["iat"]!.GetValue<long>() - 1, "ATR1146" },
        { "not yet by its own word", static (_, claims) => claims["nbf"] = claims["iat"]!.GetValue<long>() + 60, "ATR1146" },
    };

    [Theory, MemberData(nameof(BadHeaders)), MemberData(nameof(BadClaims))]
    public async Task A_proof_with_something_wrong_gives_no_token(string what, Action<JsonObject, JsonObject> change, string id)
    {
        DpopReply reply = (await Calls.MachineTokenAsync(change)).ShouldBeRefused(BadProof, id);
        reply.Nonce.ShouldNotBeNull(what);
        reply.Json.EnumerateObject().Select(static member => member.Name).ShouldBe(["error", "error_description"]);
    }

    [Theory]
    [InlineData(-60)]
    [InlineData(-10)]
    [InlineData(0)]
    [InlineData(10)]
    public async Task A_clock_may_be_ten_seconds_off_and_a_request_a_minute_under_way(int seconds) =>
        (await Calls.MachineTokenAsync((_, claims) => claims["iat"] = claims["iat"]!.GetValue<long>() + seconds)).ShouldBeBoundTo(key.Jkt);

    [Theory]
    [InlineData("?query=1")]
    [InlineData("#fragment")]
    public async Task The_address_may_have_a_query_and_a_fragment(string more) =>
        (await Calls.MachineTokenAsync((_, claims) => claims["htu"] += more)).ShouldBeBoundTo(key.Jkt);

    [Fact]
    public async Task What_else_a_proof_says_is_nobodys_business()
    {
        DpopReply reply = await Calls.MachineTokenAsync(static (header, claims) =>
        {
            header["kid"] = "whatever";
            header["jwk"]!["kid"] = "another";
            header["jwk"]!["use"] = "sig";
            header["jwk"]!["alg"] = "ES256";
            claims["sub"] = "somebody";
            claims["iat"] = claims["iat"]!.GetValue<long>() + 0.5;
            claims["nbf"] = claims["iat"]!.GetValue<double>();
            claims["exp"] = claims["iat"]!.GetValue<double>() + 60;
        });
        reply.ShouldBeBoundTo(key.Jkt);
    }

    [Theory]
    [InlineData("ES256")]
    [InlineData("RS256")]
    [InlineData("PS256")]
    [InlineData("EdDSA")]
    [InlineData("Ed25519")]
    public async Task Every_algorithm_of_the_metadata_signs_proofs(string algorithm)
    {
        DpopKey other = DpopKey.New(algorithm);
        (await new DpopCalls(server, other).MachineTokenAsync()).ShouldBeBoundTo(other.Jkt);
    }

    [Fact]
    public async Task A_private_key_is_refused_whatever_of_it_is_shown()
    {
        foreach (string member in new[] { "d", "p", "q", "dp", "dq", "qi", "oth", "k" })
        {
            (await Calls.MachineTokenAsync((header, _) => header["jwk"]![member] = null)).ShouldBeRefused(BadProof, "ATR1142");
            (await Calls.MachineTokenAsync((header, _) => header["jwk"]![member] = header["jwk"]!["x"]!.GetValue<string>())).ShouldBeRefused(BadProof, "ATR1142");
        }
    }

    [Fact]
    public async Task A_short_RSA_key_and_one_that_signs_by_another_padding_are_refused()
    {
        (await new DpopCalls(server, DpopKey.Rsa(bits: 1024)).MachineTokenAsync()).ShouldBeRefused(BadProof, "ATR1142");
        (await new DpopCalls(server, DpopKey.New("PS256")).MachineTokenAsync(static (header, _) =>
        {
            header["alg"] = "RS256";
            header["jwk"]!["alg"] = "RS256";
        })).ShouldBeRefused(BadProof, "ATR1143");
    }

    [Fact]
    public async Task A_public_key_is_no_secret_to_sign_by()
    {
        string header = new JsonObject { ["typ"] = "dpop+jwt", ["alg"] = "HS256", ["jwk"] = key.Jwk }.ToJsonString();
        (await Calls.MachineTokenAsync(key.Sign(header, "{}"))).ShouldBeRefused(BadProof, "ATR1142");
    }

    [Fact]
    public async Task A_proof_that_was_tampered_with_cut_short_or_made_longer_is_none()
    {
        string proof = Calls.TokenProof();
        string[] parts = proof.Split('.');
        string[] others =
        [
            "x", "a.b.c", "..", proof[..^1], proof + "A", proof + "=", $"{parts[0]}.{parts[1]}.", $"{parts[0]}.{parts[1]}", $".{parts[1]}.{parts[2]}", $"{proof}.x",
            $"{parts[0]}.{parts[1]}.{new string('A', 86)}", Calls.TokenProof().Split('.')[0] + $".{parts[1][..^2]}AA.{parts[2]}",
            Calls.TokenProof((header, _) => header["more"] = new string('x', 9000)), Calls.TokenProof((_, claims) => claims["more"] = new string('x', 9000)),
            key.Sign("[]", "[]"), key.Sign("{\"typ\":\"dpop+jwt\"", "{}"), key.Sign("""{"typ":"\ud800"}""", "{}"),
        ];
        foreach (string other in others)
        {
            DpopReply reply = await Calls.MachineTokenAsync(other);
            (reply.Status, reply["error"]).ShouldBe((HttpStatusCode.BadRequest, BadProof), other);
        }

        (await Calls.MachineTokenAsync(proof)).ShouldBeBoundTo(key.Jkt);
    }

    [Fact]
    public async Task A_proof_that_was_refused_was_not_spent()
    {
        Action<JsonObject, JsonObject> named = static (_, claims) => claims["jti"] = "the-same";
        (await Calls.MachineTokenAsync((header, claims) => { named(header, claims); claims["htm"] = "GET"; })).ShouldBeRefused(BadProof, "ATR1145");
        (await Calls.MachineTokenAsync(named)).ShouldBeBoundTo(key.Jkt);
        (await Calls.MachineTokenAsync(named)).ShouldBeRefused(BadProof, "ATR1151");
        (await new DpopCalls(server, DpopKey.New()).MachineTokenAsync(named)).Status.ShouldBe(HttpStatusCode.OK, "another key may use the name");
    }

    [Theory]
    [InlineData("DPoP: {0}\r\nDPoP: {1}", "ATR1140")]
    [InlineData("DPoP: {0}\r\ndpop: {0}", "ATR1140")]
    [InlineData("DPoP: {0}, {1}", "ATR1141")]
    [InlineData("DPoP: {0},", "ATR1141")]
    [InlineData("DPoP: DPoP {0}", "ATR1141")]
    [InlineData("DPoP:", "ATR1141")]
    public async Task There_is_one_header_with_one_proof(string headers, string id)
    {
        string body = $"grant_type=client_credentials&client_id=demo-m2m&client_secret={DemoRealm.MachineSecret}";
        Uri address = new(server.Url);
        using TcpClient connection = new(address.Host, address.Port);
        await using NetworkStream stream = connection.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /t/acme/token HTTP/1.1\r\nHost: {address.Authority}\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            + $"Content-Length: {body.Length}\r\n{string.Format(null, headers, Calls.TokenProof(), Calls.TokenProof())}\r\n\r\n{body}"));
        using StreamReader reader = new(stream);
        string answer = await reader.ReadToEndAsync();
        answer.ShouldStartWith("HTTP/1.1 400");
        answer.ShouldContain($"({id})");
    }

    [Fact]
    public async Task The_address_is_the_public_one_and_never_that_of_the_Host_header()
    {
        using HttpRequestMessage request = OAuthBrowser.FormOf(
            DpopCalls.TokenPath, ("grant_type", "client_credentials"), ("client_id", "demo-m2m"), ("client_secret", DemoRealm.MachineSecret));
        request.Headers.Host = "evil.example";
        request.Headers.TryAddWithoutValidation("DPoP", Calls.TokenProof(static (_, claims) => claims["htu"] = "http://evil.example/t/acme/token"));
        using HttpResponseMessage response = await server.Http.SendAsync(request);
        (await response.Content.ReadAsStringAsync()).ShouldContain("ATR1145");
    }

    [Theory]
    [InlineData("/t/acme/token")]
    [InlineData("/t/acme/oauth2/token")]
    [InlineData("/t/acme/o/org_0000000000000000000000001/oauth2/token")]
    public async Task Each_path_of_the_endpoint_is_an_address_of_its_own(string path)
    {
        (string, string)[] machine = [("grant_type", "client_credentials"), ("client_id", "demo-m2m"), ("client_secret", DemoRealm.MachineSecret)];
        (await Calls.TokenAtAsync(path, Calls.TokenProof(path: path), machine)).ShouldBeBoundTo(key.Jkt);
    }

    [Fact]
    public async Task Nobody_who_is_no_client_is_told_anything_of_their_proof()
    {
        string proof = Calls.TokenProof();
        (await Calls.TokenAsync(proof, ("grant_type", "client_credentials"), ("client_id", "demo-m2m"), ("client_secret", "wrong")))
            .ShouldBeRefused("invalid_client", "ATR1101", HttpStatusCode.Unauthorized);
        (await Calls.MachineTokenAsync(proof)).ShouldBeBoundTo(key.Jkt);
    }
}
