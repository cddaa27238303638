using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Atrium.Bench;

/// <summary>
/// The limit to compare with: what any token endpoint on this machine has to do, and nothing else. It parses the form, checks the secret by
/// SHA-256, signs a JWT with ES256 and answers JSON. It has no store, or commits one row durably for each request.
/// </summary>
internal static class Toy
{
    public static async Task<int> RunAsync(string url, string? database)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(url);
        await using WebApplication app = builder.Build();
        byte[] secretHash = SHA256.HashData("toy-secret"u8);
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await using ToyCommits? commits = database is null ? null : ToyCommits.To(database);
        app.MapGet("/health/ready", static () => "ready");
        app.MapPost("/token", async (HttpRequest request) =>
        {
            IFormCollection form = await request.ReadFormAsync();
            string clientId = form["client_id"].ToString();
            if (!CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(form["client_secret"].ToString())), secretHash))
                return Results.StatusCode(StatusCodes.Status401Unauthorized);
            if (commits is not null)
                await commits.AddAsync(RandomNumberGenerator.GetBytes(SHA256.HashSizeInBytes));
            return Results.Json(new Dictionary<string, object>
            {
                ["access_token"] = Sign(key, clientId),
                ["token_type"] = "Bearer",
                ["expires_in"] = 1800,
            });
        });
        await app.RunAsync();
        return 0;
    }

    private static string Sign(ECDsa key, string clientId)
    {
        using MemoryStream payload = new();
        using (Utf8JsonWriter json = new(payload))
        {
            json.WriteStartObject();
            json.WriteString("iss"u8, "http://localhost"u8);
            json.WriteString("sub"u8, clientId);
            json.WriteString("aud"u8, clientId);
            json.WriteNumber("iat"u8, 1_700_000_000);
            json.WriteNumber("exp"u8, 1_700_001_800);
            json.WriteString("jti"u8, Guid.NewGuid().ToString());
            json.WriteEndObject();
        }

        string signed = $"{Base64Url.EncodeToString("""{"alg":"ES256","typ":"at+jwt"}"""u8)}.{Base64Url.EncodeToString(payload.ToArray())}";
        return $"{signed}.{Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
    }
}
