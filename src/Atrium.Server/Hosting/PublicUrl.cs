using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core;
using Atrium.Core.SignIns;

namespace Atrium.Server.Hosting;

/// <summary>The server's own address as the world sees it, and every issuer and link that is made of it.</summary>
public sealed class PublicUrl
{
    private readonly TaskCompletionSource<string> known = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Without a trailing slash.</summary>
    public string Base => known.Task.IsCompleted ? known.Task.Result : throw new InvalidOperationException("The public URL is known once the server listens.");

    /// <summary>Ends once the server listens.</summary>
    public Task Known => known.Task;

    public bool IsHttps => Base.StartsWith("https://", StringComparison.Ordinal);

    /// <summary>Set once: from the setting, or from the address listened on.</summary>
    public void Set(string url) => known.SetResult(url.TrimEnd('/'));

    public string Realm(string realmHandle) => $"{Base}/t/{realmHandle}";

    public string Organization(string realmHandle, Id<Organization> organization) => $"{Realm(realmHandle)}/o/{organization}";

    /// <summary>The issuer of the realm's app-native tokens.</summary>
    public string AppNativeIssuer(string realmHandle) => $"{Realm(realmHandle)}/oauth2/token";

    /// <summary>Where whoever has the letter accepts.</summary>
    public string Invitation(string realmHandle, Secret token) => $"{Realm(realmHandle)}/invitations/{token.Reveal()}";

    /// <summary>Where a token that came through this door is shown for what it leaves out; the AuthKit door's issuers have no such place.</summary>
    public string? UserInfo(Door door, string realmHandle) => door switch
    {
        Door.AuthKit => null,
        Door.AppNative => $"{Realm(realmHandle)}/oauth2/userinfo",
        _ => $"{Realm(realmHandle)}/userinfo",
    };

    /// <summary>The issuer follows the door that a grant came through, so that each door's own metadata names it.</summary>
    public string Issuer(Door door, string realmHandle, Client client, Id<Organization>? organization) => door switch
    {
        Door.AuthKit => $"{Base}/user_management/{client.ClientId}",
        Door.AppNative when organization is { } entered && client.Settings.AppNative.TokenIssuer == TokenIssuerSetting.Organization =>
            $"{Organization(realmHandle, entered)}/oauth2/token",
        Door.AppNative => AppNativeIssuer(realmHandle),
        _ => Realm(realmHandle),
    };
}
