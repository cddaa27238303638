using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Server.Doors.Management.Bodies;

namespace Atrium.Server.Doors.Management.Clients;

/// <summary>What can be said of a client.</summary>
internal static class ClientBodies
{
    private static readonly Field<string> ClientId = Field.Text("client_id", ClientRules.MaxClientIdLength)
        .Check(static text => ClientRules.IsClientId(text)
            ? null
            : "A client_id is made of letters, digits and -._~, and does not look like an id of something else.")
        .Describe("The `client_id` of the wire, if another than the id is wanted. Unique in the server; it never changes.");

    private static readonly Field<string> Name = Field.Text("name", TextRules.MaxNameLength)
        .Check(static text => TextRules.IsName(text) && !string.IsNullOrWhiteSpace(text) ? null : "A name stands on one line, and has something in it.")
        .Describe("What people see when they sign in.")
        .Required();

    private static readonly Field<ClientType?> Type = Field.Choice<ClientType>(
            "type", [("spa", ClientType.Spa), ("native", ClientType.Native), ("web", ClientType.Web), ("m2m", ClientType.M2M)])
        .Describe("`spa` and `native` are public, `web` and `m2m` keep a secret. It never changes.")
        .Required();

    private static readonly Field<IReadOnlyList<string>> RedirectUris = Uris("redirect_uris").Describe("Where the answer of a sign-in may go, matched exactly.");

    private static readonly Field<IReadOnlyList<string>> SignOutUris = Uris("post_logout_redirect_uris").Describe("Where a sign-out may lead.");

    private static readonly Field<IReadOnlyList<string>> GrantTypes = Field
        .List("grant_types", Field.Word("grant_type", ClientRules.GrantTypes), ClientRules.GrantTypes.Count, min: 1)
        .Describe("`authorization_code` and `refresh_token` unless said, of the type m2m `client_credentials`.");

    private static readonly Field<string> SignatureAlgorithm = Field.Word("response_signature_alg", ClientRules.SignatureAlgorithms)
        .Describe("The signature of its tokens at the OAuth door, ES256 unless said; `EdDSA` where the server has libsodium. The other doors sign with RS256.");

    private static readonly Field<ClientStatus?> Status = Field.Choice<ClientStatus>("status")
        .Describe("Whatever a disabled client asks for is refused, the renewal of its tokens too.");

    private static readonly Field<ClientSharing?> SharedWith = Field.Choice<ClientSharing>("shared_with")
        .Describe("Whether every organization of the realm may sign in here by the app-native door, or only those it is shared with; `all` unless said.");

    private static readonly IReadOnlyList<Field> Changeable =
        [Name, RedirectUris, SignOutUris, GrantTypes, SignatureAlgorithm, Status, SharedWith, ClientSettingsBodies.Settings];

    public static Shape Creation { get; } = new([ClientId, Type, .. Changeable]);

    public static Shape Change { get; } = new(Changeable);

    /// <summary>The client that the body says; its secret is yet to be made, if it has one.</summary>
    public static Client Make(Body body, Id<Realm> realm, TimeProvider clock)
    {
        Id<Client> id = Id<Client>.New(clock);
        DateTimeOffset now = clock.GetUtcNow();
        Client bare = new()
        {
            RealmId = realm,
            Id = id,
            ClientId = body.Of(ClientId) ?? id.ToString(),
            Name = "",
            Type = body.Of(Type)!.Value,
            GrantTypes = [],
            CreatedAt = now,
            UpdatedAt = now,
        };
        return Apply(body, bare, now);
    }

    /// <summary>The client with everything that the body says; what it leaves out has its default.</summary>
    public static Client Apply(Body body, Client client, DateTimeOffset now) => client with
    {
        Name = body.Of(Name)!,
        RedirectUris = body.Of(RedirectUris) ?? [],
        PostLogoutRedirectUris = body.Of(SignOutUris) ?? [],
        GrantTypes = body.Of(GrantTypes) ?? ClientRules.DefaultGrantTypes(client.Type),
        SignatureAlgorithm = body.Of(SignatureAlgorithm),
        Status = body.Of(Status) ?? ClientStatus.Active,
        SharedWithAll = body.Of(SharedWith) != ClientSharing.Selected,
        Settings = ClientSettingsBodies.Read(body.Of(ClientSettingsBodies.Settings)),
        UpdatedAt = now,
    };

    /// <summary>What is wrong with a client that the fields alone don't show.</summary>
    public static ManagementError? Refuse(Client client, EdDsaSupport edDsa)
    {
        Fault[] faults = [.. ClientRules.Faults(client, edDsa)];
        return faults.Length == 0 ? null : ManagementError.Unprocessable([.. faults.Select(static fault => new Problem(fault.Field, fault.Message))]);
    }

    private static Field<IReadOnlyList<string>> Uris(string name) => Field.List(name, Field.Text("uri", ClientRules.MaxUriLength), ClientRules.MaxUris);
}
