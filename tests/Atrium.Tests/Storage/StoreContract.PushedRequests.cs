using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.SignIns;
using Atrium.Storage;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Storage;

/// <summary>A pushed request is taken once, by its client, in its realm, in its time.</summary>
public abstract partial class StoreContract
{
    private PushedRequestStore PushedRequests => new(Database);

    [Fact]
    public async Task A_pushed_request_is_taken_once_by_its_own_client_before_it_expires()
    {
        Client client = await MakeClient();
        Client other = NewClient("other");
        await Clients.CreateAsync(other, Core.Events.Origin.System, None);
        PushedRequest request = await MakePushedRequest(client);
        (await TakeAsync(request, uri: Secret.New().Hash())).ShouldBeNull();
        (await PushedRequests.TakeAsync(Other.Id, client.Id, request.UriHash, Now, None)).ShouldBeNull();
        (await PushedRequests.TakeAsync(Realm.Id, other.Id, request.UriHash, Now, None)).ShouldBeNull();
        (await PushedRequests.TakeAsync(Realm.Id, client.Id, request.UriHash, request.ExpiresAt, None)).ShouldBeNull();
        PushedRequest taken = (await PushedRequests.TakeAsync(Realm.Id, client.Id, request.UriHash, request.ExpiresAt.AddMilliseconds(-1), None)).ShouldNotBeNull();
        (taken with { Parameters = request.Parameters, UriHash = request.UriHash }).ShouldBe(request);
        taken.Parameters.ShouldBe(request.Parameters);
        (await TakeAsync(request)).ShouldBeNull();

        PushedRequest raced = await MakePushedRequest(client);
        (await AtOnce(_ => TakeAsync(raced), times: 20)).Count(static one => one is not null).ShouldBe(1);
        (await PushedRequests.CreateAsync(NewPushedRequest(client) with { ClientId = Id<Client>.New(Clock) }, None)).ShouldBeFalse("there is no such client");
    }

    private Task<PushedRequest?> TakeAsync(PushedRequest request, SecretHash? uri = null) =>
        PushedRequests.TakeAsync(Realm.Id, request.ClientId, uri ?? request.UriHash, Now, None);

    private async Task<PushedRequest> MakePushedRequest(Client client)
    {
        PushedRequest request = NewPushedRequest(client);
        (await PushedRequests.CreateAsync(request, None)).ShouldBeTrue();
        return request;
    }

    private PushedRequest NewPushedRequest(Client client) => new()
    {
        RealmId = Realm.Id, UriHash = Secret.New().Hash(), ClientId = client.Id, PathOrganization = "org_x",
        Parameters = new Dictionary<string, string>(StringComparer.Ordinal) { ["scope"] = "openid", ["state"] = "ünïcode \"quoted\"" },
        CreatedAt = Now, ExpiresAt = Now + PushedRequest.Lifetime,
    };
}
