//! The listener: connections on which a reader that accepts nothing is cut. A server buffers what a client does not take, and would keep
//! connection and buffer for as long as the client likes; here a write that makes no progress within its time ends the connection.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Sleep;

/// How long a quiet connection may be before the system asks whether the other side is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Accepts connections that are cut when a write stalls.
pub(crate) struct ImpatientListener {
    listener: TcpListener,
    write_timeout: Duration,
}

impl ImpatientListener {
    pub(crate) fn new(listener: TcpListener, write_timeout: Duration) -> ImpatientListener {
        ImpatientListener { listener, write_timeout }
    }
}

impl Listener for ImpatientListener {
    type Io = ImpatientIo<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // Small frames must not wait for each other. Both are comforts: a connection without them works.
        drop(stream.set_nodelay(true));
        let keepalive = socket2::TcpKeepalive::new().with_time(KEEPALIVE);
        drop(socket2::SockRef::from(&stream).set_tcp_keepalive(&keepalive));
        (ImpatientIo { io: stream, write_timeout: self.write_timeout, stalled: None }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that is cut when a write stalls.
pub(crate) struct ImpatientIo<T> {
    io: T,
    write_timeout: Duration,
    /// When the patience with a write that makes no progress ends.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<T> ImpatientIo<T> {
    fn watch<R>(&mut self, context: &mut Context<'_>, polled: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        if polled.is_ready() {
            self.stalled = None;
            return polled;
        }
        let write_timeout = self.write_timeout;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(write_timeout)));
        stalled.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for ImpatientIo<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for ImpatientIo<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(context, bytes);
        self.watch(context, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write_vectored(context, parts);
        self.watch(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.io).poll_flush(context);
        self.watch(context, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.io).poll_shutdown(context);
        self.watch(context, polled)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_write_that_stalls_ends_and_a_slow_one_does_not() {
        let (io, mut reader) = duplex(10);
        let mut writer = ImpatientIo { io, write_timeout: Duration::from_secs(5), stalled: None };
        let slow = async {
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_secs(4)).await;
                reader.read_exact(&mut [0; 10]).await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(writer.write_all(&[1; 100]), slow);
        written.unwrap();
        writer.write_all(&[1; 10]).await.unwrap();
        let error = writer.write_all(&[1; 10]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
